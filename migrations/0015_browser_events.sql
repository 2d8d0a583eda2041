ALTER TABLE `webhooks` ADD `filters` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `webhooks` ADD `queue_longer_than` integer;--> statement-breakpoint
ALTER TABLE `webhooks` ADD `long_queues` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `webhooks` ADD `dropped_events` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `webhooks_browser` ON `webhooks` (`id`) WHERE active = 1 AND event_pattern GLOB 'cdp:*';--> statement-breakpoint
CREATE INDEX `webhooks_queue` ON `webhooks` (`id`) WHERE active = 1 AND queue_longer_than IS NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `webhook_deliveries_message` ON `webhook_deliveries` (`webhook_id`,`message_id`) WHERE "webhook_deliveries"."event_sequence" is null;