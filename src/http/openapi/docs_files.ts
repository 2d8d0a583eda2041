/** Files of the page, each loaded by its first request to save memory. */
const FILES = {
  "page.html": () => import("./page.html", { with: { type: "text" } }),
  "start.js": () => import("./start.js", { with: { type: "text" } }),
  "swagger-ui-bundle.js": () =>
    import("swagger-ui-dist/swagger-ui-bundle.js", { with: { type: "text" } }),
  "swagger-ui.css": () =>
    import("swagger-ui-dist/swagger-ui.css", { with: { type: "text" } }),
} as const;

/** Name of a file of the page. */
export type DocsFile = keyof typeof FILES;

/** Loads the text of a file of the page. */
export async function loadDocsFile(name: DocsFile): Promise<string> {
  const loaded: { readonly default: string } = await FILES[name]();
  return loaded.default;
}
