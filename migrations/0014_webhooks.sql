CREATE TABLE `webhook_deliveries` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`webhook_id` text NOT NULL,
	`message_id` text NOT NULL,
	`event_sequence` integer,
	`type` text NOT NULL,
	`subject` text NOT NULL,
	`data` text NOT NULL,
	`timestamp` integer NOT NULL,
	`status` text NOT NULL,
	`attempts` integer NOT NULL,
	`due_at` integer,
	`lease_token` text,
	`last_attempt_at` integer,
	`duration_ms` integer,
	`status_code` integer,
	`error` text,
	`response` text,
	`ended_at` integer
);
--> statement-breakpoint
CREATE INDEX `webhook_deliveries_webhook` ON `webhook_deliveries` (`webhook_id`);--> statement-breakpoint
CREATE INDEX `webhook_deliveries_due` ON `webhook_deliveries` (`webhook_id`,`due_at`) WHERE "webhook_deliveries"."due_at" is not null;--> statement-breakpoint
CREATE INDEX `webhook_deliveries_open` ON `webhook_deliveries` (`webhook_id`,`subject`) WHERE "webhook_deliveries"."ended_at" is null;--> statement-breakpoint
CREATE INDEX `webhook_deliveries_lease` ON `webhook_deliveries` (`lease_token`) WHERE "webhook_deliveries"."lease_token" is not null;--> statement-breakpoint
CREATE INDEX `webhook_deliveries_ended` ON `webhook_deliveries` (`ended_at`) WHERE "webhook_deliveries"."ended_at" is not null;--> statement-breakpoint
CREATE TABLE `webhooks` (
	`id` text PRIMARY KEY NOT NULL,
	`owner` text,
	`name` text NOT NULL,
	`description` text NOT NULL,
	`url` text NOT NULL,
	`headers` text NOT NULL,
	`secret` text NOT NULL,
	`previous_secret` text,
	`previous_secret_until` integer,
	`event_pattern` text NOT NULL,
	`session_id` text,
	`work_pool_id` text,
	`labels` text NOT NULL,
	`timeout_seconds` integer NOT NULL,
	`max_attempts` integer NOT NULL,
	`include_connect_url` integer NOT NULL,
	`active` integer NOT NULL,
	`inactive_reason` text,
	`failing_since` integer,
	`failures` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`deleted_at` integer
);
--> statement-breakpoint
CREATE INDEX `webhooks_active` ON `webhooks` (`id`) WHERE "webhooks"."active" = 1;--> statement-breakpoint
CREATE INDEX `webhooks_deleted` ON `webhooks` (`id`) WHERE "webhooks"."deleted_at" is not null;--> statement-breakpoint
CREATE INDEX `webhooks_owner` ON `webhooks` (`owner`,`id`) WHERE "webhooks"."deleted_at" is null;--> statement-breakpoint
-- A trigger, so that every event reaches the outbox in its own transaction, also of statements of an earlier version.
-- GLOB is the rule of type_pattern.ts: without a star at the end, both have the same number of dots. An event comes before
-- the change that it records, so that the status is that of its type.
CREATE TRIGGER `webhook_outbox` AFTER INSERT ON `events` WHEN EXISTS (SELECT 1 FROM `webhooks` WHERE active = 1) BEGIN
	INSERT INTO `webhook_deliveries` (`webhook_id`, `message_id`, `event_sequence`, `type`, `subject`, `data`, `timestamp`, `status`, `attempts`, `due_at`)
	SELECT w.id, 'evt_' || NEW.sequence || '_' || w.id, NEW.sequence, NEW.type,
		coalesce(NEW.session_id, NEW.worker_id, NEW.work_pool_id, ''),
		json_set(
			CASE WHEN NEW.session_id IS NOT NULL THEN json_object('session', json_object(
					'id', NEW.session_id,
					'status', coalesce(json_extract('{"session.requeued":"pending","session.starting":"starting","session.running":"running","session.completed":"completed","session.failed":"failed","session.expired":"expired","session.crashed":"crashed","session.timed_out":"timed_out","session.terminated":"terminated"}', '$."' || NEW.type || '"'), s.status),
					'pool', p.name, 'labels', json(s.labels), 'reason', json_extract(NEW.data, '$.reason')))
				WHEN NEW.worker_id IS NOT NULL THEN json_object('worker', json_object('id', NEW.worker_id, 'pool', p.name))
				WHEN NEW.work_pool_id IS NOT NULL THEN json_object('pool', json_object('id', NEW.work_pool_id, 'name', p.name))
				ELSE '{}' END,
			'$.event', json_object('id', 'evt_' || NEW.sequence, 'sequence', NEW.sequence,
				'data', json(CASE WHEN length(NEW.data) <= 65536 THEN NEW.data ELSE '{"truncated":true}' END))),
		NEW.timestamp, 'pending', 0,
		CASE WHEN EXISTS (SELECT 1 FROM `webhook_deliveries` AS d WHERE d.webhook_id = w.id
			AND d.subject = coalesce(NEW.session_id, NEW.worker_id, NEW.work_pool_id, '') AND d.ended_at IS NULL)
			THEN NULL ELSE NEW.timestamp END
	FROM `webhooks` AS w
	LEFT JOIN `sessions` AS s ON s.id = NEW.session_id
	LEFT JOIN `work_pools` AS p ON p.id = NEW.work_pool_id
	WHERE w.active = 1
		AND NEW.type GLOB w.event_pattern
		AND (w.event_pattern GLOB '*[*]'
			OR length(NEW.type) - length(replace(NEW.type, '.', '')) = length(w.event_pattern) - length(replace(w.event_pattern, '.', '')))
		AND (w.session_id IS NULL OR w.session_id = NEW.session_id)
		AND (w.work_pool_id IS NULL OR w.work_pool_id = NEW.work_pool_id)
		AND (NEW.session_id IS NULL OR s.webhooks_enabled = 1)
		AND (w.owner IS NULL OR (w.owner = NEW.owner AND NOT EXISTS (SELECT 1 FROM `api_keys` AS k
			WHERE k.id = w.owner AND (k.revoked_at IS NOT NULL OR k.expires_at <= NEW.timestamp))))
		AND (w.labels = '{}' OR NOT EXISTS (SELECT 1 FROM json_each(w.labels) AS label WHERE NOT EXISTS (
			SELECT 1 FROM `session_labels` AS l WHERE l.name = label.key AND l.value = label.value AND l.session_id = NEW.session_id)))
		AND NOT (NEW.type GLOB 'webhook.*' AND json_extract(NEW.data, '$.webhook_id') = w.id);
END;--> statement-breakpoint
-- The next delivery of a subject becomes due when the one before it has ended, whatever statement ends it.
CREATE TRIGGER `webhook_deliveries_next` AFTER UPDATE OF `ended_at` ON `webhook_deliveries` WHEN OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL BEGIN
	UPDATE `webhook_deliveries` SET `due_at` = timestamp WHERE due_at IS NULL AND ended_at IS NULL AND id = (
		SELECT d.id FROM `webhook_deliveries` AS d WHERE d.webhook_id = NEW.webhook_id AND d.subject = NEW.subject
			AND d.ended_at IS NULL ORDER BY d.id LIMIT 1);
END;--> statement-breakpoint
CREATE TRIGGER `webhooks_key_revoked` AFTER UPDATE OF `revoked_at` ON `api_keys` WHEN NEW.revoked_at IS NOT NULL BEGIN
	UPDATE `webhooks` SET `active` = 0, `inactive_reason` = 'key' WHERE owner = NEW.id AND active = 1;
END;--> statement-breakpoint
CREATE TRIGGER `webhooks_key_deleted` AFTER DELETE ON `api_keys` BEGIN
	UPDATE `webhooks` SET `active` = 0, `inactive_reason` = 'key' WHERE owner = OLD.id AND active = 1;
END;
