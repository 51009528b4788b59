// How the widget's tests run. Most share one Node process per core and get a context of their own (`vmForks`), which is twice as fast
// as a process for each file.
import { defineConfig } from "vitest/config";

/** In a context, Node's own `Response` throws errors of another realm. These tests want the errors that a page gets: of its own. */
const ONE_REALM = ["diagnose", "leftovers", "odd", "trouble"].map((name) => `static/widget/tests/${name}.test.ts`);

export default defineConfig({
  test: {
    maxWorkers: "100%",
    projects: [
      { test: { name: "context", pool: "vmForks", include: ["static/widget/tests/*.test.{ts,tsx}"], exclude: ONE_REALM } },
      { test: { name: "process", pool: "forks", include: ONE_REALM } },
    ],
  },
});
