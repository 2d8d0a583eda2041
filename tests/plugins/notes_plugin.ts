import { definePlugin } from "../../src/core/plugin.ts";
import { notes } from "./notes/app.ts";

export default definePlugin({ name: "notes", apps: [notes] });
