CREATE TABLE `events` (
	`sequence` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`type` text NOT NULL,
	`session_id` text,
	`work_pool_id` text,
	`worker_id` text,
	`owner` text,
	`data` text NOT NULL,
	`timestamp` integer NOT NULL
);
--> statement-breakpoint
-- Ids of workers are those of the sessions now: earlier ones were not recorded.
INSERT INTO `events` (`sequence`, `type`, `session_id`, `work_pool_id`, `worker_id`, `owner`, `data`, `timestamp`)
	SELECT old.seq, CASE old.event WHEN 'browser_started' THEN 'session.running'
		WHEN 'client_connected' THEN 'session.client_connected'
		WHEN 'client_disconnected' THEN 'session.client_disconnected'
		ELSE 'session.' || substr(old.event, length('session_') + 1) END,
	old.session_id, sessions.work_pool_id,
	CASE WHEN old.event NOT IN ('session_created', 'session_assigned') THEN sessions.worker_id END,
	sessions.owner, old.data, old.timestamp
	FROM `session_events` AS old CROSS JOIN `sessions` ON sessions.id = old.session_id ORDER BY old.seq;--> statement-breakpoint
-- Numbers of deleted events are not used again.
UPDATE `sqlite_sequence` SET `seq` = (SELECT old.seq FROM `sqlite_sequence` AS old WHERE old.name = 'session_events') WHERE `name` = 'events';--> statement-breakpoint
CREATE INDEX `events_session` ON `events` (`session_id`) WHERE "events"."session_id" is not null;--> statement-breakpoint
CREATE INDEX `events_owner` ON `events` (`owner`) WHERE "events"."owner" is not null;--> statement-breakpoint
DROP TABLE `session_events`;
