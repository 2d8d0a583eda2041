/** Loads a file of the page when it is first asked for: a server that shows no page never holds them. */
const FILES = {
  "page.html": () => import("./page.html", { with: { type: "text" } }),
  "start.js": () => import("./start.js", { with: { type: "text" } }),
  "swagger-ui-bundle.js": () =>
    import("swagger-ui-dist/swagger-ui-bundle.js", { with: { type: "text" } }),
  "swagger-ui.css": () =>
    import("swagger-ui-dist/swagger-ui.css", { with: { type: "text" } }),
} as const;

/** Name of a file that the page is made of. */
export type DocsFile = keyof typeof FILES;

/** Text of a file of the page. */
export async function loadDocsFile(name: DocsFile): Promise<string> {
  const loaded: { readonly default: string } = await FILES[name]();
  return loaded.default;
}
