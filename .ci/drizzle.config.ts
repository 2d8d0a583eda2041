import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: "./src/apps/*/models.ts",
  out: "./migrations",
});
