/// Style and script of the landing page; served as files of their own so that the content policy needs no exceptions.
enum PageAssets {
    static let style = """
        :root {
          color-scheme: light dark;
          --text: light-dark(#1b1f24, #e6e9ee);
          --soft: light-dark(#5b6570, #9aa5b1);
          --line: light-dark(#d8dde3, #333b45);
          --panel: light-dark(#ffffff, #1c2128);
          --ground: light-dark(#f4f6f8, #12161b);
          --link: light-dark(#0b5cad, #7ab7ff);
          --alarm: light-dark(#a4320a, #ffab7d);
        }
        body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
        main { max-width: 56rem; margin: 0 auto; padding: 2rem 1rem; }
        h1 { font-size: 1.75rem; margin: 0; }
        h1 small { color: var(--soft); font-size: 1rem; font-weight: normal; }
        h2 { font-size: 1.1rem; margin: 2rem 0 .75rem; }
        a { color: var(--link); }
        .counters { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .75rem; margin: 0; }
        .counters div, table, pre { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; }
        .counters div { padding: .75rem 1rem; }
        dt, caption { color: var(--soft); font-size: .85rem; text-align: left; }
        dd { margin: 0; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
        table { border-spacing: 0; width: 100%; padding: .5rem 1rem; }
        th { text-align: left; font-weight: normal; }
        td, thead th:last-child { text-align: right; font-variant-numeric: tabular-nums; }
        thead th { color: var(--soft); font-size: .85rem; }
        pre { padding: .75rem 1rem; overflow-x: auto; }
        .warning, .lost { color: var(--alarm); }

        """

    static let script = """
        "use strict";
        const state = document.getElementById("state");
        const places = document.querySelectorAll("[data-key]");

        async function refresh() {
          try {
            const answer = await fetch("/api/status", { cache: "no-store" });
            const counters = await answer.json();
            for (const place of places) {
              const value = counters[place.dataset.key];
              if (typeof value === "number") place.textContent = value.toLocaleString();
            }
            say("The service is running.", false);
          } catch {
            say("The service does not answer.", true);
          }
        }

        function say(text, isLost) {
          if (state.textContent !== text) state.textContent = text;
          state.classList.toggle("lost", isLost);
        }

        setInterval(() => { if (!document.hidden) refresh(); }, 2000);
        refresh();

        """
}
