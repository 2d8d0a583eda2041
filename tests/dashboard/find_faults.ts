import { fileURLToPath } from "node:url";
import type { Page } from "puppeteer-core";
import { z } from "zod";

const axe = await Deno.readTextFile(
  fileURLToPath(import.meta.resolve("axe-core/axe.min.js")),
);

/** The members of axe's result that are read. */
const resultSchema = z.array(z.object({
  id: z.string(),
  impact: z.string(),
  nodes: z.array(z.object({ html: z.string() })),
}));

/**
 * Returns the accessibility faults of level serious or critical of the page as it is now. The library is run through
 * CDP, which the page's policy permits.
 */
export async function findFaults(
  page: Page,
  scheme: string,
): Promise<readonly string[]> {
  await page.evaluate(axe);
  const violations = resultSchema.parse(
    await page.evaluate("axe.run().then(({ violations }) => violations)"),
  );
  return violations.filter(({ impact }) =>
    impact === "serious" || impact === "critical"
  ).map(({ id, nodes }) =>
    `${page.url()} ${scheme} ${id}: ${nodes.map(({ html }) => html).join(" ")}`
  );
}
