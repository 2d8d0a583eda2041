/** Writes the generated parts of the documentation. Run by `deno task docs`. */
import { generatedPages } from "./generated_pages.ts";

for (const { url, text } of await generatedPages()) {
  await Deno.writeTextFile(url, text);
}
