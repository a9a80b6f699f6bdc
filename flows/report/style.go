package report

import "github.com/odxray/odxray/flows"

// Style says how text for people looks. The zero Style is plain.
type Style struct{ Color bool }

// The sixteen colours that every terminal has; nothing is said by colour alone.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func (s Style) paint(code, text string) string {
	if !s.Color || code == "" || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func levelColor(l flows.Level) string {
	return [...]string{flows.Note: cyan, flows.Warning: yellow, flows.Error: red}[l]
}

func verdictColor(v flows.Verdict) string {
	return [...]string{flows.Unknown: dim, flows.Complete: green, flows.Partial: yellow, flows.Failed: red}[v]
}
