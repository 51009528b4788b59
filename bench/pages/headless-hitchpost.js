// What a host bundles: our headless module behind ten buttons of its own.
import { configure, connect } from "$module";

configure({ base: "$base", product: "shop", session: () => "$session" });
for (const button of document.querySelectorAll("button")) {
  button.addEventListener("click", () => connect(button.dataset.connector));
}
