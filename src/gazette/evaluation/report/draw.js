// The page's policy forbids eval, so Vega interprets its expressions (ast).
const tooltip = { theme: "page", disableDefaultStyle: true };
const options = { actions: false, ast: true, renderer: "svg", defaultStyle: false, tooltip };
const specs = JSON.parse(document.getElementById("specs").textContent);
for (const place of document.querySelectorAll("[data-chart]")) {
  vegaEmbed(place, specs[place.dataset.chart], options);
}
