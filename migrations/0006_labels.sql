CREATE TABLE `session_labels` (
	`name` text NOT NULL,
	`value` text NOT NULL,
	`session_id` text NOT NULL,
	`owner` text NOT NULL,
	PRIMARY KEY(`name`, `value`, `session_id`)
) WITHOUT ROWID;--> statement-breakpoint
CREATE INDEX `session_labels_owner` ON `session_labels` (`owner`,`name`,`value`,`session_id`);--> statement-breakpoint
INSERT INTO `session_labels` (`name`, `value`, `session_id`, `owner`)
	SELECT label.key, label.value, sessions.id, sessions.owner FROM `sessions` CROSS JOIN json_each(sessions.labels) AS label
	WHERE sessions.labels <> '{}';--> statement-breakpoint
-- Triggers, so that no statement that inserts or deletes sessions can leave out their labels, also of an earlier version.
CREATE TRIGGER `session_labels_insert` AFTER INSERT ON `sessions` WHEN NEW.labels <> '{}' BEGIN
	INSERT INTO `session_labels` (`name`, `value`, `session_id`, `owner`)
	SELECT label.key, label.value, NEW.id, NEW.owner FROM json_each(NEW.labels) AS label;
END;--> statement-breakpoint
CREATE TRIGGER `session_labels_delete` AFTER DELETE ON `sessions` WHEN OLD.labels <> '{}' BEGIN
	DELETE FROM `session_labels` WHERE (`name`, `value`, `session_id`) IN (
		SELECT label.key, label.value, OLD.id FROM json_each(OLD.labels) AS label);
END;
