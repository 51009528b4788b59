// Imports the widget's further files, and tries again after failures.
import { hooks, type LazyModule } from "./hooks.js";

/** The pause (milliseconds) before the second try. Each further pause is four times as long, up to `MAX_PAUSE`. */
const FIRST_PAUSE = 1000;
const MAX_PAUSE = 256_000;

/** The import of each module, by its name. */
const imports: Record<string, Promise<LazyModule> | undefined> = {};
/** Ends the pause of each module whose import has failed. */
const endPause: Record<string, (() => void) | undefined> = {};

/**
 * Imports a module from the folder of the script; resolves once that has succeeded. All calls for a module share one import.
 * A call during a pause ends the pause.
 */
export function importWithRetries(name: string): Promise<LazyModule> {
  endPause[name]?.();
  return (imports[name] ??= tryImport(name));
}

async function tryImport(name: string): Promise<LazyModule> {
  // Each try has another URL, because browsers remember that a module failed to load.
  for (let pause = FIRST_PAUSE, query = ""; ; query = `?${(pause *= 4)}`) {
    try {
      return await hooks.importModule(hooks.folder + name + query);
    } catch {
      await new Promise<void>((resolve) => setTimeout((endPause[name] = resolve), Math.min(pause, MAX_PAUSE)));
    }
  }
}
