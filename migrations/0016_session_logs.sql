CREATE TABLE `session_log_follows` (
	`session_id` text NOT NULL,
	`follower` text NOT NULL,
	`followed_until` integer NOT NULL,
	`is_delivered` integer NOT NULL,
	PRIMARY KEY(`session_id`, `follower`),
	FOREIGN KEY (`session_id`) REFERENCES `sessions`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `session_log_follows_until` ON `session_log_follows` (`followed_until`);--> statement-breakpoint
CREATE INDEX `session_log_follows_new` ON `session_log_follows` (`is_delivered`) WHERE "session_log_follows"."is_delivered" = 0;--> statement-breakpoint
CREATE TABLE `session_log_parts` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`session_id` text NOT NULL,
	`text` text NOT NULL,
	`omitted` integer NOT NULL,
	`is_first` integer NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`session_id`) REFERENCES `sessions`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `session_log_parts_session` ON `session_log_parts` (`session_id`);--> statement-breakpoint
CREATE INDEX `session_log_parts_age` ON `session_log_parts` (`created_at`);