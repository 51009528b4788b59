// What the script adds to the Studio: saving by itself, the preview, news of others, and small tools.
import { watchFields } from "./autosave.js";
import { furnish } from "./tools.js";
import { watchPreview } from "./preview.js";
import { watchNews } from "./news.js";

furnish();
const preview = watchPreview();
watchFields(() => preview.refresh());
watchNews();
