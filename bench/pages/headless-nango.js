// What a host bundles: Nango's frontend for its headless call behind ten buttons of its own.
import Nango from "@nangohq/frontend";

const nango = new Nango({ host: "$base", connectSessionToken: "$session" });
for (const button of document.querySelectorAll("button")) {
  button.addEventListener("click", () => nango.auth(button.dataset.connector, "connection"));
}
