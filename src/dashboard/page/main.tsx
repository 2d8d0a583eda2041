/**
 * The dashboard in the browser: shows the grid through the API with the rights of the visitor's key.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { render } from "preact";
import { loadCaller } from "./api/access.ts";
import { isLinkPage, LinkPage } from "./live_view/link_page.tsx";
import { followLinks } from "./routing.ts";
import { Shell } from "./shell.tsx";

const page = document.getElementById("page");
if (page) {
  if (isLinkPage()) {
    render(<LinkPage />, page);
  } else {
    followLinks();
    render(<Shell />, page);
    void loadCaller();
  }
}
