// The grid of figures: arrows move between cells, a range pasted from a spreadsheet lands cell by cell, Ctrl+Z takes it back.
"use strict";

for (const table of document.querySelectorAll("[data-grid]")) {
  const rows = [...table.tBodies[0].rows].map((row) => [...row.querySelectorAll("input")]);
  const place = (input) => {
    const row = rows.findIndex((cells) => cells.includes(input));
    return [row, row < 0 ? -1 : rows[row].indexOf(input)];
  };
  let undo = null;

  table.addEventListener("keydown", (event) => {
    const [row, column] = place(event.target);
    if (row < 0) return;
    if (undo && event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      for (const [input, value] of undo) input.value = value;
      undo = null;
      return;
    }
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const next = step && rows[row + step]?.[column];
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.select();
  });

  table.addEventListener("paste", (event) => {
    const [row, column] = place(event.target);
    const text = event.clipboardData.getData("text/plain").replace(/\r?\n$/, "");
    if (row < 0 || !/[\t\n]/.test(text)) return;
    event.preventDefault();
    undo = [];
    text.split(/\r?\n/).forEach((line, down) => {
      line.split("\t").forEach((value, right) => {
        const input = rows[row + down]?.[column + right];
        if (!input) return;
        undo.push([input, input.value]);
        input.value = value.trim();
      });
    });
  });

  table.addEventListener("input", (event) => {
    if (event.inputType !== "insertFromPaste") undo = null;
  });
}
