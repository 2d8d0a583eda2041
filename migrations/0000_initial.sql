CREATE TABLE `session_events` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`session_id` text NOT NULL,
	`event` text NOT NULL,
	`data` text NOT NULL,
	`timestamp` integer NOT NULL,
	FOREIGN KEY (`session_id`) REFERENCES `sessions`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `session_events_session` ON `session_events` (`session_id`,`seq`);--> statement-breakpoint
CREATE TABLE `session_metrics` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`session_id` text NOT NULL,
	`cpu_percent` real,
	`memory_mb` real,
	`network_rx_bytes` integer,
	`network_tx_bytes` integer,
	`timestamp` integer NOT NULL,
	FOREIGN KEY (`session_id`) REFERENCES `sessions`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `session_metrics_session` ON `session_metrics` (`session_id`,`seq`);--> statement-breakpoint
CREATE TABLE `sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`browser` text NOT NULL,
	`version` text NOT NULL,
	`headless` integer NOT NULL,
	`operating_system` text NOT NULL,
	`screen` text NOT NULL,
	`proxy` text,
	`resource_limits` text NOT NULL,
	`environment` text NOT NULL,
	`work_pool_id` text NOT NULL,
	`provider` text NOT NULL,
	`priority` integer NOT NULL,
	`idle_timeout_seconds` real,
	`labels` text NOT NULL,
	`webhooks_enabled` integer NOT NULL,
	`ephemeral` integer NOT NULL,
	`status` text NOT NULL,
	`status_reason` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`started_at` integer,
	`ended_at` integer,
	`expires_at` integer NOT NULL,
	`queue_deadline_at` integer NOT NULL,
	`last_activity_at` integer,
	`worker_id` text,
	`container_id` text,
	`details` text NOT NULL,
	`endpoint` text,
	`fencing_token` integer NOT NULL,
	`lease_expires_at` integer,
	`claim_request_id` text,
	`start_attempts` integer NOT NULL,
	`stop_requested_at` integer,
	`stop_status` text,
	`stop_reason` text,
	`stop_force` integer NOT NULL,
	`logs` text,
	FOREIGN KEY (`work_pool_id`) REFERENCES `work_pools`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `sessions_queue` ON `sessions` (`work_pool_id`,`status`,`priority`,`id`);--> statement-breakpoint
CREATE INDEX `sessions_worker` ON `sessions` (`worker_id`,`status`);--> statement-breakpoint
CREATE INDEX `sessions_status` ON `sessions` (`status`,`expires_at`);--> statement-breakpoint
CREATE TABLE `work_pools` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`description` text NOT NULL,
	`provider_type` text NOT NULL,
	`provider_config` text NOT NULL,
	`status` text NOT NULL,
	`priority` integer NOT NULL,
	`default_browser` text,
	`default_browser_version` text,
	`default_headless` integer,
	`default_operating_system` text,
	`default_screen` text,
	`default_proxy` text,
	`default_resource_limits` text,
	`default_environment` text,
	`max_sessions` integer,
	`min_workers` integer NOT NULL,
	`max_workers` integer,
	`max_sessions_per_worker` integer,
	`min_ready` integer NOT NULL,
	`max_queue` integer,
	`max_timeout_minutes` real,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `work_pools_name_unique` ON `work_pools` (`name`);--> statement-breakpoint
CREATE TABLE `grid` (
	`only` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `workers` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`work_pool_id` text NOT NULL,
	`provider_type` text NOT NULL,
	`provider_details` text NOT NULL,
	`secret_hash` text NOT NULL,
	`capacity` integer NOT NULL,
	`current_load` integer NOT NULL,
	`status` text NOT NULL,
	`drain_requested_at` integer,
	`cpu_percent` real,
	`memory_usage_mb` real,
	`disk_usage_mb` real,
	`ip_address` text,
	`version` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`last_heartbeat` integer NOT NULL,
	FOREIGN KEY (`work_pool_id`) REFERENCES `work_pools`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `workers_pool_name` ON `workers` (`work_pool_id`,`name`);