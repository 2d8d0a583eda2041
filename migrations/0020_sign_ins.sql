ALTER TABLE `api_keys` ADD `signed_in_for` text;--> statement-breakpoint
ALTER TABLE `api_keys` ADD `signed_in_proof` text;--> statement-breakpoint
CREATE INDEX `api_keys_signed_in` ON `api_keys` (`signed_in_for`,`id`) WHERE "api_keys"."signed_in_for" is not null;--> statement-breakpoint
CREATE INDEX `api_keys_signed_in_expiry` ON `api_keys` (`expires_at`) WHERE "api_keys"."signed_in_for" is not null;