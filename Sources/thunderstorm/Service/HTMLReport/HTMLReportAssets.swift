// Style and script of the report. The script puts every value into the page with textContent: what a sample says is
// never markup.

enum HTMLReportAssets {
    /// Colours and levels of the report and of the pages of the service.
    static let look = #"""
        :root { color-scheme: light dark; --back: #fbfbfd; --fore: #1a1d23; --dim: #5c6370; --line: #d9dce3; --card: #fff;
          --alert: #b3123b; --warning: #b45309; --notice: #1d5fa8; --info: #4b5563; --error: #7c3aed; --accent: #1d5fa8; }
        @media (prefers-color-scheme: dark) { :root { --back: #14161a; --fore: #e6e8ec; --dim: #9aa2af; --line: #2d323b;
          --card: #1b1e24; --alert: #ff6b8a; --warning: #f5a44b; --notice: #6fb1ff; --info: #a3abb8; --error: #c4a1ff;
          --accent: #6fb1ff; } }
        .level { font-weight: 650; } .Alert { color: var(--alert); } .Warning { color: var(--warning); }
        .Notice { color: var(--notice); } .Info, .Debug { color: var(--info); } .Error { color: var(--error); }
        rect.Alert { fill: var(--alert); } rect.Warning { fill: var(--warning); } rect.Notice { fill: var(--notice); }
        rect.Info, rect.Debug { fill: var(--info); } rect.Error { fill: var(--error); }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }

        """#

    static let style =
        look + #"""
            * { box-sizing: border-box; }
            body { margin: 0; background: var(--back); color: var(--fore); font: 15px/1.45 system-ui, sans-serif; }
            main { max-width: 1200px; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
            h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.05rem; margin: 0 0 .6rem; }
            .dim { color: var(--dim); } .facts { display: flex; flex-wrap: wrap; gap: .2rem 1.5rem; margin: .4rem 0 1.2rem; }
            .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .8rem; }
            .tile, .panel { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .8rem 1rem; }
            .tile b { display: block; font-size: 1.7rem; line-height: 1.2; }
            .panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: .8rem; margin: .8rem 0; }
            .bar { display: grid; grid-template-columns: minmax(6rem, 14rem) 1fr 3.5rem; gap: .5rem; align-items: center;
              width: 100%; border: 0; background: none; color: inherit; font: inherit; text-align: left; padding: .12rem 0;
              cursor: pointer; }
            .bar span:first-child { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
            .bar span:last-child { text-align: right; } .bar:hover span:first-child { text-decoration: underline; }
            .bar[aria-pressed=true] span:first-child { font-weight: 700; }
            svg { display: block; width: 100%; } .bar svg { height: .8rem; }
            .controls { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; margin: 1.2rem 0 .6rem; }
            input[type=search] { flex: 1 1 16rem; } input, button.plain { font: inherit; color: inherit; padding: .4rem .6rem;
              background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
            details { background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin: .35rem 0; }
            summary { display: grid; grid-template-columns: 5.2rem 2.6rem minmax(6rem, 12rem) 1fr; gap: .6rem; cursor: pointer;
              padding: .45rem .8rem; align-items: baseline; } summary::-webkit-details-marker { display: none; }
            summary > * { overflow-wrap: anywhere; } .body { padding: .2rem .8rem .8rem; border-top: 1px solid var(--line); }
            table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top; padding: .2rem .6rem
              .2rem 0; overflow-wrap: anywhere; } th { color: var(--dim); font-weight: 500; width: 11rem; }
            code { font: .86em ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
            @media (max-width: 40rem) { summary { grid-template-columns: 5rem 2.4rem 1fr; } summary > :nth-child(3) { display: none; } }
            @media print { .controls, .more { display: none; } details { break-inside: avoid; } }
            """#

    static let script = #"""
        "use strict";
        (() => {
          const levels = ["Alert", "Warning", "Error", "Notice", "Info", "Debug"];
          const page = 200;
          const heading = JSON.parse(document.getElementById("heading").textContent);
          const root = document.getElementById("report");
          const events = [];
          let broken = 0;
          for (const line of document.getElementById("events").textContent.split("\n")) {
            if (!line.trim()) continue;
            try { add(JSON.parse(line)); } catch { broken++; }
          }
          events.sort((a, b) => levels.indexOf(a.level) - levels.indexOf(b.level) || b.score - a.score || (a.time < b.time ? -1 : 1));

          function add(event) {
            const meta = event.meta || {};
            const reasons = event.reasons || [];
            const subject = event.subject || {};
            const rules = reasons.map((reason) => (reason.signature || {}).rule_name || (reason.signature || {}).kind || reason.summary);
            events.push({
              raw: event, level: String(meta.level || "Info"), host: String(meta.hostname || "?"), time: String(meta.time || ""),
              score: Number(event.score || 0), rules, name: name(subject) || String(event.message || ""),
              reason: reasons.length ? String(reasons[0].summary) : String(event.message || ""),
              text: JSON.stringify(event).toLowerCase(),
            });
          }

          function name(subject) {
            if (subject.path) return String(subject.path);
            const inner = subject.entry && typeof subject.entry === "object" ? subject.entry : subject;
            const parts = Object.entries(inner).filter(([key]) => key !== "type").slice(0, 4).map(([key, value]) => key + ": " + flat(value));
            return [subject.type, ...parts].filter(Boolean).join("  ");
          }

          function flat(value) {
            return value !== null && typeof value === "object" ? JSON.stringify(value) : String(value);
          }

          function make(tag, attributes = {}, ...children) {
            const element = document.createElement(tag);
            for (const [key, value] of Object.entries(attributes)) {
              if (key.startsWith("on")) element.addEventListener(key.slice(2), value); else element.setAttribute(key, value);
            }
            for (const child of children) element.append(child instanceof Node ? child : String(child));
            return element;
          }

          function graphic(width, height, parts, label) {
            const space = "http://www.w3.org/2000/svg";
            const svg = document.createElementNS(space, "svg");
            svg.setAttribute("viewBox", "0 0 " + width + " " + height);
            svg.setAttribute("preserveAspectRatio", "none");
            svg.setAttribute("role", "img");
            svg.setAttribute("aria-label", label);
            for (const part of parts) {
              const rect = document.createElementNS(space, "rect");
              for (const key of ["x", "y", "width", "height"]) rect.setAttribute(key, part[key]);
              rect.setAttribute("class", levels.includes(part.level) ? part.level : "Info");
              svg.append(rect);
            }
            return svg;
          }

          const filter = { text: "", levels: new Set(levels), host: null, rule: null };
          let shown = page;

          function matches(event) {
            return filter.levels.has(event.level) && (!filter.host || event.host === filter.host)
              && (!filter.rule || event.rules.includes(filter.rule)) && (!filter.text || event.text.includes(filter.text));
          }

          function count(list, keys) {
            const groups = new Map();
            for (const event of list) for (const key of new Set(keys(event))) {
              const group = groups.get(key) || { total: 0 };
              group.total++;
              group[event.level] = (group[event.level] || 0) + 1;
              groups.set(key, group);
            }
            return [...groups].sort((a, b) => b[1].total - a[1].total || (a[0] < b[0] ? -1 : 1));
          }

          function bars(title, groups, chosen, choose) {
            const most = groups.length ? groups[0][1].total : 1;
            const panel = make("section", { class: "panel" }, make("h2", {}, title));
            for (const [key, group] of groups.slice(0, 12)) {
              let x = 0;
              const parts = levels.filter((level) => group[level]).map((level) => {
                const part = { x, y: 0, width: 100 * group[level] / most, height: 10, level };
                x += part.width;
                return part;
              });
              panel.append(make("button", { class: "bar", title: key, "aria-pressed": String(chosen === key),
                onclick: () => { choose(chosen === key ? null : key); } },
                make("span", {}, key), graphic(100, 10, parts, key + ": " + group.total), make("span", {}, group.total)));
            }
            if (groups.length > 12) panel.append(make("p", { class: "dim" }, "and " + (groups.length - 12) + " more"));
            if (!groups.length) panel.append(make("p", { class: "dim" }, "nothing"));
            return panel;
          }

          function timeline(list) {
            const panel = make("section", { class: "panel" }, make("h2", {}, "By time of the finding"));
            const times = list.map((event) => Date.parse(event.time)).filter((time) => !Number.isNaN(time));
            if (!times.length) return panel;
            const first = times.reduce((a, b) => Math.min(a, b)), last = times.reduce((a, b) => Math.max(a, b));
            const slots = 48, step = Math.max(1, (last - first + 1) / slots);
            const columns = Array.from({ length: slots }, () => ({}));
            for (const event of list) {
              const time = Date.parse(event.time);
              if (Number.isNaN(time)) continue;
              const column = columns[Math.min(slots - 1, Math.floor((time - first) / step))];
              column[event.level] = (column[event.level] || 0) + 1;
              column.total = (column.total || 0) + 1;
            }
            const most = columns.reduce((a, column) => Math.max(a, column.total || 0), 1);
            const parts = [];
            columns.forEach((column, index) => {
              let y = 100;
              for (const level of levels) if (column[level]) {
                const height = 100 * column[level] / most;
                y -= height;
                parts.push({ x: index * 10, y, width: 8, height, level });
              }
            });
            const svg = graphic(slots * 10, 100, parts, "findings over time");
            svg.setAttribute("height", "110");
            panel.append(svg, make("p", { class: "dim" }, new Date(first).toISOString() + " to " + new Date(last).toISOString()));
            return panel;
          }

          function row(label, value) {
            return make("tr", {}, make("th", { scope: "row" }, label), make("td", {}, make("code", {}, flat(value))));
          }

          function detail(event) {
            const body = make("div", { class: "body" });
            const raw = event.raw;
            const facts = make("table");
            facts.append(row("time", event.time), row("host", event.host), row("module", (raw.meta || {}).module || ""), row("scan id", (raw.meta || {}).scan_id || ""));
            body.append(facts);
            for (const reason of raw.reasons || []) {
              const signature = reason.signature || {};
              const table = make("table");
              for (const key of ["score", "kind", "origin", "rule_name", "description", "author", "date", "id"]) if (signature[key] !== undefined) table.append(row(key, signature[key]));
              if ((signature.tags || []).length) table.append(row("tags", signature.tags.join(", ")));
              for (const link of signature.reference || []) table.append(row("reference", link));
              for (const match of reason.matched || []) {
                const where = [match.offset !== undefined ? "at 0x" + Number(match.offset).toString(16) : "", match.field || ""].join(" ").trim();
                table.append(row("matched " + where, typeof match.data === "object" && match.data ? match.data.data : match.data));
              }
              body.append(make("h2", {}, reason.summary), table);
            }
            const fields = make("table");
            const walk = (value, path) => {
              if (value === null || value === undefined) return;
              if (typeof value === "object" && !Array.isArray(value)) {
                for (const [key, inner] of Object.entries(value)) walk(inner, path ? path + "." + key : key);
              } else fields.append(row(path, Array.isArray(value) ? value.map(flat).join(", ") : value));
            };
            walk(raw.subject || raw.fields, "");
            body.append(make("h2", {}, "Object"), fields);
            for (const element of raw.context || []) {
              const relation = ((element.relations || [])[0] || {}).relation_name || "related";
              body.append(make("h2", {}, relation), make("code", {}, (element.object || {}).path || flat(element.object)));
            }
            for (const issue of raw.issues || []) body.append(make("h2", {}, "Not looked at"), make("code", {}, issue.description));
            return body;
          }

          function draw() {
            const list = events.filter(matches);
            const focused = document.activeElement && document.activeElement.id;
            root.replaceChildren(make("h1", {}, heading.title), make("div", { class: "facts dim" },
              make("span", {}, "made " + heading.time + " by Thunderstorm " + heading.version),
              ...heading.facts.map(([key, value]) => make("span", {}, key + ": " + value)),
              ...(broken ? [make("span", {}, broken + " lines could not be read")] : []),
              ...(heading.left_out ? [make("span", { class: "Warning" }, heading.left_out + " events are not in this report: it is full")] : [])));
            const tiles = make("div", { class: "tiles" });
            for (const level of levels.slice(0, 5)) {
              const total = events.reduce((sum, event) => sum + (event.level === level), 0);
              tiles.append(make("div", { class: "tile" }, make("b", { class: level }, total), level));
            }
            tiles.append(make("div", { class: "tile" }, make("b", {}, new Set(events.map((event) => event.host)).size), "Hosts"));
            root.append(tiles, make("div", { class: "panels" },
              bars("By host", count(list, (event) => [event.host]), filter.host, (key) => { filter.host = key; shown = page; draw(); }),
              bars("By rule", count(list, (event) => event.rules), filter.rule, (key) => { filter.rule = key; shown = page; draw(); }),
              timeline(list)));
            const search = make("input", { type: "search", id: "search", placeholder: "Search in everything", "aria-label": "Search in everything",
              value: filter.text, oninput: (input) => { filter.text = input.target.value.toLowerCase(); shown = page; later(); } });
            const controls = make("div", { class: "controls" }, search);
            for (const level of levels) {
              const box = make("input", { type: "checkbox", id: "level-" + level, onchange: () => {
                if (filter.levels.has(level)) filter.levels.delete(level); else filter.levels.add(level);
                draw();
              } });
              box.checked = filter.levels.has(level);
              controls.append(make("label", { class: level }, box, " " + level));
            }
            if (filter.host || filter.rule || filter.text) controls.append(make("button", { class: "plain", onclick: () => {
              Object.assign(filter, { text: "", host: null, rule: null });
              draw();
            } }, "Show all"));
            root.append(controls, make("p", { class: "dim", role: "status" }, list.length + " of " + events.length + " events"));
            for (const event of list.slice(0, shown)) {
              const item = make("details", {}, make("summary", {},
                make("span", { class: "level " + (levels.includes(event.level) ? event.level : "Info") }, event.level), make("span", {}, event.score),
                make("span", { class: "dim" }, event.host), make("span", {}, event.name, make("br"), make("span", { class: "dim" }, event.reason))));
              item.addEventListener("toggle", () => { if (item.open && item.children.length === 1) item.append(detail(event)); });
              root.append(item);
            }
            if (list.length > shown) root.append(make("button", { class: "plain more", onclick: () => { shown += page * 5; draw(); } },
              "Show more (" + (list.length - shown) + " left)"));
            if (focused) { const again = document.getElementById(focused); if (again) { again.focus(); if (again.type === "search") again.setSelectionRange(again.value.length, again.value.length); } }
          }

          let timer = 0;
          function later() { clearTimeout(timer); timer = setTimeout(draw, 150); }
          draw();
        })();
        """#
}
