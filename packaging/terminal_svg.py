#!/usr/bin/env python3
"""Draws what a terminal showed as SVG: the picture in README.md is made from a real run with it.

    DEMO_SECONDS=150 script -qefc 'make run' run.log
    packaging/terminal_svg.py run.log '$ make run' '  Done after' >docs/images/make-run.svg

The last argument is where to stop: the screen is drawn as it stood before that was written. It knows what our programs write: text, carriage returns, colours, and the few sequences that redraw lines.
"""

import html
import re
import sys

COLUMNS, CELL, LINE, PAD, BAR = 100, 8.4, 19, 18, 34
COLOURS = {31: "#ff7b72", 32: "#7ee787", 33: "#e3b341"}
SEQUENCE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|([\r\n])|([^\x1b\r\n])")


def screen(log):
    """The cells of every line once all of `log` was written: (character, style) in order of columns."""
    rows, row, column, style = [[]], 0, 0, ""
    for numbers, command, control, character in SEQUENCE.findall(log):
        if control == "\r":
            column = 0
        elif control == "\n":
            row += 1
            if row == len(rows):
                rows.append([])
        elif command == "A":
            row = max(0, row - int(numbers or 1))
        elif command == "K":
            del rows[row][column:]
        elif command == "J":
            del rows[row][column:], rows[row + 1 :]
        elif command == "m":
            for code in map(int, (numbers or "0").split(";")):
                if code == 0:
                    style = ""
                elif code == 1:
                    style += "font-weight:bold;"
                elif code == 2:
                    style += "opacity:.6;"
                elif code in COLOURS:
                    style += f"fill:{COLOURS[code]};"
        elif character:
            cells = rows[row]
            cells.extend([(" ", "")] * (column + 1 - len(cells)))
            cells[column] = (character, style)
            column += 1
    return rows


def spans(cells):
    """One text element's inside: neighbours of one style together."""
    out, run, last = [], "", ""
    for character, style in [*cells[:COLUMNS], ("", None)]:
        if style != last and run:
            text = html.escape(run)
            out.append(f'<tspan style="{last}">{text}</tspan>' if last else text)
            run = ""
        run, last = run + character, style
    return "".join(out)


def main():
    log = open(sys.argv[1], encoding="utf-8", newline="").read()
    log = "\n".join(line for line in log.split("\n") if not line.startswith("Script "))
    if len(sys.argv) > 3:
        log = log.partition(sys.argv[3])[0].removesuffix("\r\x1b[K")
    rows = screen(f"\x1b[1m{sys.argv[2]}\x1b[0m\r\n{log}")
    while rows and not rows[-1]:
        rows.pop()
    width, height = COLUMNS * CELL + 2 * PAD, BAR + len(rows) * LINE + PAD
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}">')
    print('<rect width="100%" height="100%" rx="9" fill="#0d1117"/>')
    for n, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        print(f'<circle cx="{PAD + n * 18}" cy="17" r="5.5" fill="{colour}"/>')
    print('<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="14" fill="#e6edf3" xml:space="preserve">')
    for n, cells in enumerate(rows):
        if cells:
            print(f'<text x="{PAD}" y="{BAR + n * LINE + 14}">{spans(cells)}</text>')
    print("</g>\n</svg>")


if __name__ == "__main__":
    main()
