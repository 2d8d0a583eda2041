CREATE TABLE `machines` (
	`worker_id` text PRIMARY KEY NOT NULL,
	`pool_id` text NOT NULL,
	`status` text NOT NULL,
	`attempts` integer NOT NULL,
	`key_id` text,
	`key` text,
	`requested_at` integer NOT NULL,
	`accepted_at` integer,
	`drained_at` integer,
	`removed_at` integer,
	`status_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `machines_pool` ON `machines` (`pool_id`,`status`);--> statement-breakpoint
CREATE TABLE `scaled_pools` (
	`pool_id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`provider_type` text NOT NULL,
	`provider_config` text NOT NULL,
	`pool_updated_at` integer NOT NULL,
	`lease_owner` text,
	`lease_expires_at` integer NOT NULL,
	`pass` integer NOT NULL,
	`surplus_since` integer,
	`surplus_least` integer NOT NULL,
	`failures` integer NOT NULL,
	`retry_at` integer,
	`last_failure` text,
	`last_failure_at` integer,
	`failure_recorded_at` integer
);
