import { definePlugin } from "../../src/plugin/plugin.ts";
import { notes } from "./notes/app.ts";

export default definePlugin({ name: "notes", apps: [notes] });
