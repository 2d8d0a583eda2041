CREATE TABLE `live_links` (
	`id` text PRIMARY KEY NOT NULL,
	`session_id` text NOT NULL,
	`mode` text NOT NULL,
	`token_hash` text NOT NULL,
	`created_by` text NOT NULL,
	`note` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`revoked_at` integer,
	FOREIGN KEY (`session_id`) REFERENCES `sessions`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `live_links_token_hash_unique` ON `live_links` (`token_hash`);--> statement-breakpoint
CREATE INDEX `live_links_session` ON `live_links` (`session_id`,`id`);--> statement-breakpoint
CREATE INDEX `live_links_expiry` ON `live_links` (`expires_at`);