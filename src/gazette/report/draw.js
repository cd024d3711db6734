// The page's policy forbids eval: Vega interprets its expressions (ast), and logs errors alone (1).
const options = { actions: false, ast: true, renderer: "svg", logLevel: 1, defaultStyle: false, tooltip: { theme: "page", disableDefaultStyle: true } };
const specs = JSON.parse(document.getElementById("specs").textContent);
for (const place of document.querySelectorAll("[data-chart]")) {
  vegaEmbed(place, specs[place.dataset.chart], options);
}
