import { z } from "zod";

/** Schema of the `provider_config` of a local pool. */
export const localConfigSchema = z.strictObject({
  executable_path: z.string().min(1).optional().describe(
    "Path of the browser; by default an installed one is used, or one is downloaded",
  ),
  arguments: z.array(z.string().startsWith("--")).default([]).describe(
    "Additional arguments for the browser",
  ),
  sandbox: z.enum(["auto", "on", "off"]).default("auto").describe(
    "The browser's own sandbox; auto turns it off for root",
  ),
});

/** Parsed configuration of a local pool. */
export type LocalConfig = z.infer<typeof localConfigSchema>;
