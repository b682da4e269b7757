// Drawings of the course ask JupyterLab's attribute whether the page is light or dark.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const tell = () => {
    const chosen = document.body.dataset.theme ?? "auto";
    const light = chosen === "light" || (chosen === "auto" && !dark.matches);
    document.body.dataset.jpThemeLight = String(light);
  };
  addEventListener("DOMContentLoaded", () => {
    tell();
    dark.addEventListener("change", tell);
    new MutationObserver(tell).observe(document.body, { attributeFilter: ["data-theme"] });
  });
})();
