# SPDX-License-Identifier: MIT
# What a serial terminal would show: interprets the console's bytes as far as firmware and the menu use
# them (cursor moves, clearing, UTF-8; attributes only as far as they mark a cell) and gives the screen
# back as text.
import codecs
import re

_SEQUENCE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b[()][A-Z0-9]|\x1b[=>78cDEM]|\x1b\Z|\x1b\[[0-9;?]*\Z")


# Firmware draws boxes in code page 437, kernels print UTF-8; no byte is ever lost.
codecs.register_error("cp437", lambda e: (e.object[e.start:e.end].decode("cp437"), e.end))


def decode(raw):
    """Console bytes as text, escapes included."""
    return raw.decode("utf-8", errors="cp437")


class Screen:
    def __init__(self, columns=132, rows=50):
        self.columns, self.rows = columns, rows
        self._cells = [[" "] * columns for _ in range(rows)]
        self._marked = [[False] * columns for _ in range(rows)]
        self._row = self._column = 0
        self._inverse = False

    def feed(self, raw):
        text, at = decode(raw), 0
        while at < len(text):
            if text[at] == "\x1b":
                found = _SEQUENCE.match(text, at)
                if found:
                    self._control(found.group(1), found.group(2))
                    at = found.end()
                    continue
            self._put(text[at])
            at += 1
        return self

    def _put(self, c):
        if c == "\r":
            self._column = 0
        elif c == "\n":
            self._row += 1
            if self._row == self.rows:
                self._cells = self._cells[1:] + [[" "] * self.columns]
                self._marked = self._marked[1:] + [[False] * self.columns]
                self._row -= 1
        elif c == "\b":
            self._column = max(0, self._column - 1)
        elif c >= " ":
            if self._column < self.columns:
                self._cells[self._row][self._column] = c
                self._marked[self._row][self._column] = self._inverse
            self._column += 1

    def _control(self, parameters, final):
        numbers = [int(n) if n else 0 for n in (parameters or "").lstrip("?").split(";")]
        if final in ("H", "f"):
            numbers += [0]
            self._row = min(max(numbers[0], 1), self.rows) - 1
            self._column = min(max(numbers[1], 1), self.columns) - 1
        elif final == "A":
            self._row = max(0, self._row - max(numbers[0], 1))
        elif final == "B":
            self._row = min(self.rows - 1, self._row + max(numbers[0], 1))
        elif final == "C":
            self._column = min(self.columns - 1, self._column + max(numbers[0], 1))
        elif final == "D":
            self._column = max(0, self._column - max(numbers[0], 1))
        elif final == "J" and numbers[0] == 2:
            self._cells = [[" "] * self.columns for _ in range(self.rows)]
            self._marked = [[False] * self.columns for _ in range(self.rows)]
        elif final == "J" and numbers[0] == 0:
            for row in range(self._row, self.rows):
                self._blank(row, self._column if row == self._row else 0)
        elif final == "K":
            self._blank(self._row, self._column)
        elif final == "m":
            for number in numbers:
                if 40 <= number <= 47:
                    self._inverse = number != 40  # any background but black is a highlight
                elif number == 0:
                    self._inverse = False

    def _blank(self, row, start):
        for column in range(start, self.columns):
            self._cells[row][column] = " "
            self._marked[row][column] = False

    def lines(self):
        """The rows as text, without blanks at their ends."""
        return ["".join(row).rstrip() for row in self._cells]

    def rows_with_marks(self):
        """(text, whether a cell of it is highlighted) for each row."""
        return [(line, any(marks)) for line, marks in zip(self.lines(), self._marked)]

    def highlighted(self):
        """The text of each row that has highlighted cells, only those cells."""
        rows = ("".join(c for c, mark in zip(cells, marks) if mark).strip()
                for cells, marks in zip(self._cells, self._marked))
        return [row for row in rows if row]

    def text(self):
        """The screen without blank rows at top and bottom."""
        return "\n".join(self.lines()).strip("\n")
