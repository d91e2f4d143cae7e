/// Style and script of the pages; served as files of their own so that the content policy needs no exceptions.
enum PageAssets {
    /// Colours are those of the report.
    static let style =
        HTMLReportAssets.look + #"""
            :root { --one: #1d6fa5; --two: #6d5bb5; --three: #b45309; }
            @media (prefers-color-scheme: dark) { :root { --one: #5fb4e8; --two: #b3a2ff; --three: #f5a44b; } }
            * { box-sizing: border-box; }
            html { scroll-padding-top: 1rem; }
            body { margin: 0; background: var(--back); color: var(--fore); font: 15px/1.5 system-ui, sans-serif; }
            a { color: var(--accent); text-underline-offset: .15em; }
            .skip { position: absolute; left: -100vw; top: 0; z-index: 1; background: var(--card); padding: .6rem 1rem; }
            .skip:focus { left: 0; }
            header { display: flex; flex-wrap: wrap; align-items: center; gap: .4rem 1.5rem; padding: .6rem max(1rem, 50vw - 37rem);
              background: var(--card); border-bottom: 1px solid var(--line); }
            .brand { margin: 0; font-weight: 700; }
            nav ul, .tabs, .pages, .legend, ul.tiles { list-style: none; margin: 0; padding: 0; }
            nav ul, .tabs, .pages, .legend { display: flex; flex-wrap: wrap; gap: .3rem .9rem; }
            header nav a, .tabs a { display: inline-block; padding: .2rem 0; text-decoration: none; border-bottom: 2px solid transparent; }
            header nav a:hover, .tabs a:hover { border-color: var(--line); }
            header nav a[aria-current], .tabs a[aria-current] { color: var(--fore); font-weight: 650; border-color: var(--accent); }
            .session { margin-left: auto; display: flex; gap: .6rem; align-items: center; }
            main { max-width: 76rem; margin: 0 auto; padding: 1.2rem 1rem 3rem; }
            main:focus { outline: none; }
            footer { max-width: 76rem; margin: 0 auto; padding: 0 1rem 1.5rem; color: var(--dim); font-size: .87rem; }
            h1 { font-size: 1.6rem; margin: 0 0 .6rem; overflow-wrap: anywhere; }
            h2 { font-size: 1.15rem; margin: 2rem 0 .7rem; } h3, h4, h5 { font-size: 1rem; margin: .2rem 0 .6rem; overflow-wrap: anywhere; }
            .title { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 0 1.5rem; }
            .title h1 { margin: 0; } .state { margin: 0; color: var(--dim); } .lost { color: var(--alert); font-weight: 650; }
            .dim { color: var(--dim); } .warning { color: var(--warning); }
            p[role=alert] { border-left: 4px solid var(--warning); padding: .5rem .8rem; background: var(--card); overflow-wrap: anywhere; }
            .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .7rem; margin: 0; }
            .tiles > *, .panel, .chart { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
            .tiles > div { padding: .6rem .9rem; }
            .tiles dt, .tiles .dim { font-size: .87rem; } .tiles dt { color: var(--dim); }
            .tiles dd { margin: 0; font-size: 1.45rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
            .tiles .dim { min-height: 1.3em; }
            .tiles a { display: block; padding: .6rem .9rem; border-radius: 10px; color: inherit; text-decoration: none; }
            .tiles a:hover { text-decoration: underline; }
            .tiles b { display: block; font-size: 1.6rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
            .panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: .8rem; margin: .8rem 0; }
            .panels > * { min-width: 0; } .tabs { margin: 0 0 .8rem; } .narrow { display: none; }
            .panel { padding: .8rem 1rem; margin: 0 0 .8rem; }
            .chart { margin: 0; padding: .8rem 1rem; }
            figcaption { font-weight: 650; }
            .legend { margin: .2rem 0 .5rem; font-size: .87rem; color: var(--dim); }
            .key { display: inline-block; width: .75em; height: .75em; margin-right: .35em; border-radius: 2px; background: currentColor; }
            .key.one { color: var(--one); } .key.two { color: var(--two); } .key.three { color: var(--three); }
            .plot { display: grid; grid-template-columns: auto 1fr; gap: .2rem .5rem; }
            .scale, .span { display: flex; justify-content: space-between; font-size: .8rem; color: var(--dim); font-variant-numeric: tabular-nums; }
            .scale { flex-direction: column; text-align: right; line-height: 1; } .span { grid-column: 2; }
            .plot svg { display: block; width: 100%; height: 8.5rem; overflow: visible; }
            .grid { stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; fill: none; }
            rect.one { fill: var(--one); } rect.two { fill: var(--two); } rect.three { fill: var(--three); }
            .chart details { margin-top: .4rem; font-size: .9rem; } .chart details .scroll { max-height: 16rem; overflow: auto; }
            summary { cursor: pointer; padding: .1rem 0; }
            .scroll { overflow-x: auto; margin: 0 0 .8rem; }
            table { border-collapse: collapse; width: 100%; background: var(--card); border: 1px solid var(--line); }
            caption { text-align: left; color: var(--dim); font-size: .87rem; padding: 0 0 .3rem; }
            th, td { text-align: left; vertical-align: top; padding: .4rem .7rem; border-top: 1px solid var(--line); font-weight: 400; }
            thead th { color: var(--dim); font-size: .87rem; border-top: 0; white-space: nowrap; }
            td, tbody th { overflow-wrap: break-word; max-width: 44rem; }
            td.name, tbody th.name { overflow-wrap: anywhere; min-width: 12rem; } .field { width: 11rem; min-width: 8rem; }
            .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
            .time { white-space: nowrap; font-variant-numeric: tabular-nums; }
            svg.bar { display: block; width: 100%; min-width: 4rem; height: .9rem; margin-top: .3rem; }
            .bars { width: 45%; }
            .facts { display: flex; flex-wrap: wrap; gap: .5rem 1.8rem; margin: 0 0 .8rem; }
            .facts > div { max-width: 100%; } .facts dt { color: var(--dim); font-size: .87rem; } .facts dd { margin: 0; overflow-wrap: anywhere; }
            .lines { white-space: pre-line; }
            code { font: .88em/1.5 ui-monospace, "Liberation Mono", monospace; overflow-wrap: anywhere; }
            td code, li code, .match { white-space: pre-wrap; }
            .match { background: color-mix(in srgb, var(--alert) 12%, transparent); border-radius: 3px; padding: .05rem .25rem; }
            .matches { margin: 0; padding-left: 1.2rem; } .matches li { margin: .25rem 0; overflow-wrap: anywhere; }
            .issues li { overflow-wrap: anywhere; }
            pre { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .7rem 1rem; overflow-x: auto; }
            form.search, form.upload { display: flex; flex-wrap: wrap; gap: .7rem .9rem; align-items: end; margin: 0 0 1.2rem; }
            form.search > div { flex: 1 1 11rem; } form .buttons { flex: 0 0 auto; display: flex; gap: .9rem; align-items: center; }
            form.upload { flex-direction: column; align-items: start; } form.upload p { margin: .2rem 0 0; font-size: .87rem; }
            label { display: block; font-size: .87rem; color: var(--dim); margin-bottom: .15rem; }
            input, select, button { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--dim); border-radius: 7px;
              padding: .38rem .6rem; max-width: 100%; }
            input:not([type=file]), select { width: 100%; height: 2.5rem; } form.upload input { min-width: min(24rem, 100%); }
            ::placeholder { color: var(--dim); opacity: 1; }
            button { cursor: pointer; background: var(--accent); border-color: var(--accent); color: var(--card); font-weight: 650; }
            button.plain, .session button { background: none; color: inherit; border-color: var(--dim); font-weight: 400; padding: .15rem .6rem; }
            button:disabled { opacity: .6; cursor: progress; }
            .operation { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .2rem .9rem; margin: 0 0 .5rem; }
            .operation summary h3 { display: inline; } .operation summary span { color: var(--dim); }
            .operation .method { display: inline-block; min-width: 3.2rem; font-size: .85rem; color: var(--accent); }
            @media (max-width: 45rem) { .wide { display: none; } .narrow { display: inline; } td, th { padding: .35rem .5rem; } td.name, tbody th.name { min-width: 9rem; }
              .session { margin-left: 0; } .time time { white-space: normal; } .field { width: 7rem; min-width: 6rem; } }
            @media (prefers-contrast: more) { :root { --line: currentColor; --dim: currentColor; } }
            @media print { header, .search, .tabs, .pages, .state { display: none; } }

            """#

    static let script = #"""
        "use strict";
        (() => {
          const state = document.getElementById("state");
          const pause = document.getElementById("pause");
          const live = document.querySelectorAll("[data-live]").length > 0;
          let isPaused = false;

          function say(text, isLost) {
            if (state.textContent !== text) state.textContent = text;
            state.classList.toggle("lost", isLost);
          }

          // The server draws the page; here its live parts are exchanged for newer ones.
          async function refresh() {
            try {
              const answer = await fetch(location.href, { cache: "no-store", headers: { Accept: "text/html" } });
              if (answer.redirected) return location.reload();
              if (!answer.ok) return say("The service answers with an error.", true);
              const newer = new DOMParser().parseFromString(await answer.text(), "text/html");
              for (const old of document.querySelectorAll("[data-live]")) {
                const next = newer.getElementById(old.id);
                if (!next || old.contains(document.activeElement)) continue;
                const open = old.querySelectorAll("details");
                next.querySelectorAll("details").forEach((part, index) => { part.open = Boolean(open[index] && open[index].open); });
                old.replaceWith(document.adoptNode(next));
              }
              say("The service is running.", false);
            } catch {
              say("The service does not answer.", true);
            }
          }

          if (live && state && pause) {
            pause.hidden = false;
            pause.addEventListener("click", () => {
              isPaused = !isPaused;
              pause.setAttribute("aria-pressed", String(isPaused));
              pause.textContent = isPaused ? "Resume updates" : "Pause updates";
            });
            setInterval(() => { if (!isPaused && !document.hidden) refresh(); }, 5000);
          }

          for (const form of document.querySelectorAll("form[data-wait]")) form.addEventListener("submit", () => {
            form.querySelector("button").disabled = true;
            form.querySelector(".wait").textContent = form.dataset.wait;
          });
          // A page that comes back from the browser's memory has nothing to wait for.
          addEventListener("pageshow", () => {
            for (const form of document.querySelectorAll("form[data-wait]")) {
              form.querySelector("button").disabled = false;
              form.querySelector(".wait").textContent = "";
            }
          });

          // What an address points at is shown, also where it is folded away.
          function unfold() {
            const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
            if (target && target.tagName === "DETAILS") target.open = true;
          }
          addEventListener("hashchange", unfold);
          unfold();
        })();

        """#
}
