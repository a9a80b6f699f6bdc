package ui

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const docsHead = `# The terminal UI

<!-- Made by: go test ./ui -run Docs -update -->

` + "`odxray FILE...`" + ` opens captures in the terminal while they are still being read, ` + "`odxray demo`" + ` the example that the
screens below show. It draws what the other commands print, and every number that stands for a frame, a copy, a token or an
exchange leads there: Enter goes down, Esc comes back, ` + "`.`" + ` lists all that a line leads to.

`

const docsTail = `
## Filters

` + "`\\`" + ` asks for a display filter, as Wireshark has them ([filters](filters.md)); it narrows packets, exchanges and statistics. What
is wrong with it is said while it is typed; Tab completes names of fields and of values. ` + "`/`" + ` only looks for text.

## Columns

A click on a title sorts, again the other way round, a third time not any more; ` + "`S`" + ` and ` + "`:sort -Took`" + ` do it from the keyboard.
` + "`C`" + ` opens the columns: show and hide, move, widen. ` + "`:columns No.,Time,smb2.msg_id,Info`" + ` shows just those; names of fields make
columns of packets.

## Clipboard and files

` + "`y`" + ` copies what is selected as text (` + "`yy`" + `), JSON, hex or a display filter, by the terminal's OSC 52, also out of tmux (with
` + "`set -g allow-passthrough on`" + `). ` + "`x`" + ` writes rows as text, CSV or JSON, and frames as pcapng: marked ones, those of a copy, or all
that the list shows. A file that exists is only overwritten when you say so.

## What is kept

Where you were in a capture, its marks and its filter come back when it is opened again: ` + "`$XDG_STATE_HOME/odxray`" + ` (or
` + "`~/.local/state/odxray`" + `) has a small file for each of the last 500. Columns, the theme and the form of times are settings of all captures,
in ` + "`$XDG_CONFIG_HOME/odxray/ui.json`" + `.

## Colours

The default theme uses few of the terminal's own colours and can be read on dark and on light ones. ` + "`:theme dark`" + ` and ` + "`:theme light`" + `
bring their own background, where the terminal has 256 colours.

## Mouse

A click selects, a double click opens, the wheel scrolls what is below the pointer. Hold Shift to select text with the terminal
instead.

## Without a screen

` + "`odxray --plain FILE`" + ` prints the same pages as lines of text, for screen readers and logs. ` + "`NO_COLOR`" + ` and ` + "`--color never`" + ` turn
colours off: all that they say stands there as a word, a sign or a letter too.
`

// TestDocs: docs/ui.md shows the screens and the keys as they are.
func TestDocs(t *testing.T) {
	var b strings.Builder
	b.WriteString(docsHead)
	for _, page := range []struct {
		title, text string
		keys        []string
	}{
		{"Copies", "The copies of the capture, what became of the selected one, and its story. `w` says why it went as it did.", nil},
		{"Tokens", "What was minted and where it was spent; the 512 bytes.", []string{"2"}},
		{"Packets", "The list, the fields, the bytes. `o` goes from a request to its answer and back; `m` marks a frame.", []string{":50", "Enter", "Tab", "G"}},
		{"Exchanges", "A line for each request with its answers. `p` adds bars: how many percent of calls of that kind took as long or less.", []string{"4", "/offload", "Enter"}},
		{"Findings", "What the rules of the audit say, what they mean, and the frames that show it. `b` adds a finding to a baseline, for `odxray audit --baseline`.", []string{"6"}},
		{"Stats", "Response times and bytes by command; `s` counts by control code, file, share, client or user. Enter shows the exchanges of a line.", []string{"7", "gjjj"}},
		{"Ladder", "`L` draws who said what when: for a copy, a connection or the marked frames.", []string{"L", "Enter"}},
	} {
		screen := example(t, 100, 30).press(page.keys...).show()
		fmt.Fprintf(&b, "## %s\n\n%s\n\n```\n%s```\n\n", page.title, page.text, screen)
	}
	b.WriteString("## Keys\n\nEvery action has a name that `:` takes. `0` or Alt with a digit begins a number: `012j` goes 12 lines down, `048G` to line 48.\n\n| keys | command | |\n|---|---|---|\n")
	for _, c := range newUI(nil, "").keymap.commands {
		keys := make([]string, 0, len(c.keys))
		for _, k := range c.keys {
			keys = append(keys, "`"+strings.ReplaceAll(k, "|", `\|`)+"`")
		}
		name := c.name
		if c.arg != "" {
			name += " " + strings.ToUpper(c.arg)
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s |\n", strings.Join(keys, " "), name, c.help)
	}
	b.WriteString(docsTail)
	same(t, filepath.Join("..", "docs", "ui.md"), func(string) string { return b.String() })
}

// TestReadme: so does the README.
func TestReadme(t *testing.T) {
	same(t, filepath.Join("..", "README.md"), func(text string) string {
		const fence = "```\n"
		start := strings.Index(text, fence+" odxray  copy-sparse2.snoop")
		if start < 0 {
			t.Fatal("it has no screen")
		}
		start += len(fence)
		end := start + strings.Index(text[start:], fence)
		return text[:start] + example(t, 110, 24).show() + text[end:]
	})
}

// same holds a file to what made makes of it, or writes that.
func same(t *testing.T, file string, made func(string) string) {
	t.Helper()
	is, err := os.ReadFile(file)
	if err != nil && !*update {
		t.Fatal(err)
	}
	switch want := made(string(is)); {
	case want == string(is):
	case *update:
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is not what the terminal UI shows: go test ./ui -run 'Docs|Readme' -update", file)
	}
}
