CREATE TABLE `handovers` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`session_id` text NOT NULL,
	`status` text NOT NULL,
	`reason` text NOT NULL,
	`hold` integer NOT NULL,
	`until_url` text,
	`until_selector` text,
	`until_error` text,
	`note` text,
	`requested_by` text NOT NULL,
	`resolved_by` text,
	`link_id` text,
	`link_token` text,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`resolved_at` integer,
	`checked_by` text,
	`checked_until` integer,
	FOREIGN KEY (`session_id`) REFERENCES `sessions`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `handovers_id_unique` ON `handovers` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `handovers_open` ON `handovers` (`session_id`) WHERE "handovers"."status" = 'open';--> statement-breakpoint
CREATE INDEX `handovers_session` ON `handovers` (`session_id`);--> statement-breakpoint
CREATE INDEX `handovers_due` ON `handovers` (`expires_at`) WHERE "handovers"."status" = 'open';--> statement-breakpoint
CREATE INDEX `handovers_checked` ON `handovers` (`checked_until`) WHERE "handovers"."checked_until" is not null;--> statement-breakpoint
ALTER TABLE `sessions` ADD `control` text DEFAULT 'client' NOT NULL;--> statement-breakpoint
-- A trigger, so that the request of a session ends with it, whatever ends the session, also statements of an earlier version.
CREATE TRIGGER `handovers_session_ended` AFTER UPDATE OF `ended_at` ON `sessions` WHEN OLD.control <> 'client' AND OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL BEGIN
	INSERT INTO `events` (`type`, `session_id`, `work_pool_id`, `worker_id`, `owner`, `data`, `timestamp`)
	SELECT 'session.handover_resolved', NEW.id, NEW.work_pool_id, NEW.worker_id, NEW.owner,
		json_object('handover_id', h.id, 'result', 'session_ended', 'by', NULL), NEW.ended_at
	FROM `handovers` AS h WHERE h.session_id = NEW.id AND h.status = 'open';
	UPDATE `handovers` SET `status` = 'session_ended', `resolved_at` = NEW.ended_at, `link_token` = NULL, `checked_until` = NULL
	WHERE session_id = NEW.id AND status = 'open';
	INSERT INTO `events` (`type`, `session_id`, `work_pool_id`, `worker_id`, `owner`, `data`, `timestamp`)
	VALUES ('session.control_changed', NEW.id, NEW.work_pool_id, NEW.worker_id, NEW.owner,
		json_object('control', 'client', 'previous', OLD.control, 'by', NULL), NEW.ended_at);
	UPDATE `sessions` SET `control` = 'client' WHERE id = NEW.id;
END;
