package report

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/flows"
)

// mintJSON is a mint as docs/schema/tokens.json describes it.
type mintJSON struct {
	ID       string      `json:"id" expr:"id"`
	Type     string      `json:"type" expr:"type"`
	Server   string      `json:"server" expr:"server"`
	Frame    int         `json:"frame" expr:"frame"`
	Source   any         `json:"source" expr:"source"`
	Offset   uint64      `json:"offset" expr:"offset"`
	Length   uint64      `json:"length" expr:"length"`
	TTL      uint32      `json:"ttl_ms" expr:"ttl_ms"`
	Uses     []useJSON   `json:"uses" expr:"uses"`
	Consumed [][2]uint64 `json:"consumed" expr:"consumed"`
	State    string      `json:"state" expr:"state"`
}

type useJSON struct {
	Frame       int    `json:"frame" expr:"frame"`
	Response    any    `json:"response" expr:"response"`
	Destination any    `json:"destination" expr:"destination"`
	FileOffset  uint64 `json:"file_offset" expr:"file_offset"`
	TokenOffset uint64 `json:"token_offset" expr:"token_offset"`
	Asked       uint64 `json:"asked" expr:"asked"`
	Written     uint64 `json:"written" expr:"written"`
	Status      any    `json:"status" expr:"status"`
}

func newMintJSON(m *flows.Mint) mintJSON {
	uses := make([]useJSON, len(m.Uses))
	for i := range m.Uses {
		u := &m.Uses[i]
		uses[i] = useJSON{Frame: u.Frame, Response: known(u.Response), Destination: known(u.Destination), FileOffset: u.FileOffset,
			TokenOffset: u.TokenOffset, Asked: u.Asked, Written: u.Written}
		if u.Response != 0 {
			uses[i].Status = StatusName(u.Status)
		}
	}
	return mintJSON{ID: m.ID, Type: tokenType(m), Server: m.Server, Frame: m.Frame, Source: known(m.Source), Offset: m.Offset,
		Length: m.Length, TTL: m.TTL, Uses: uses, Consumed: ranges(m.Consumed), State: m.State.String()}
}

func tokenType(m *flows.Mint) string { return fmt.Sprintf("0x%08x", m.Type) }

// Tokens prints the mints of a capture. Text has the uses of each below it if uses
// is true.
func Tokens(w io.Writer, r *flows.Results, f Format, uses bool, s Style) error {
	switch f {
	case Text:
		return tokensText(w, r.Mints, uses, s)
	case JSON:
		j := newJSONWriter(w)
		for i := range r.Mints {
			if err := j.line(newMintJSON(&r.Mints[i])); err != nil {
				return err
			}
		}
		return nil
	case CSV:
		return tokensCSV(w, r.Mints)
	}
	return errFormat(f)
}

func tokensText(w io.Writer, mints []flows.Mint, uses bool, s Style) error {
	if len(mints) == 0 {
		_, err := io.WriteString(w, "No tokens.\n")
		return err
	}
	t := table{columns: []column{{"Id", false}, {"Minted", true}, {"Server", false}, {"Source", false}, {"Range", false},
		{"Type", false}, {"TTL", true}, {"Uses", true}, {"Consumed", true}, {"State", false}}}
	for i := range mints {
		m := &mints[i]
		t.add(cell{text: m.ID}, cell{text: "f" + strconv.Itoa(m.Frame)}, plain(m.Server), cell{text: Path(m.Source)},
			cell{text: Span(flows.Range{Start: m.Offset, End: m.Offset + m.Length})}, cell{text: tokenType(m)}, cell{text: TTL(m)},
			cell{text: strconv.Itoa(len(m.Uses))}, cell{text: Percent(Total(m.Consumed), m.Length)}, cell{m.State.String(), stateColor(m.State)})
	}
	if err := t.write(w, s); err != nil || !uses {
		return err
	}
	for i := range mints {
		if m := &mints[i]; len(m.Uses) > 0 {
			if _, err := fmt.Fprintf(w, "\nUses of %s\n", m.ID); err != nil {
				return err
			}
			if err := usesText(w, m.Uses, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// TTL prints how long a token was asked to live; a dash is the server's default.
func TTL(m *flows.Mint) string {
	if m.TTL == 0 {
		return "-"
	}
	return Took(time.Duration(m.TTL) * time.Millisecond)
}

func stateColor(s flows.MintState) string {
	return [...]string{flows.Unused: yellow, flows.PartlyConsumed: yellow, flows.Consumed: green, flows.OverConsumed: red}[s]
}

func usesText(w io.Writer, uses []flows.Use, s Style) error {
	t := table{columns: []column{{"Frame", true}, {"Answer", true}, {"Destination", false}, {"Range", false}, {"Token range", false},
		{"Asked", true}, {"Written", true}, {"Status", false}, {"Took", true}}}
	for i := range uses {
		u := &uses[i]
		answer, status, took := "-", "-", "-"
		if u.Response != 0 {
			answer, status, took = strconv.Itoa(u.Response), StatusName(u.Status), Took(time.Duration(u.Took))
		}
		n := u.Written
		if n == 0 { // nothing came of it: show what was meant
			n = u.Asked
		}
		t.add(cell{text: strconv.Itoa(u.Frame)}, cell{text: answer}, cell{text: Path(u.Destination)},
			cell{text: Span(flows.Range{Start: u.FileOffset, End: u.FileOffset + n})},
			cell{text: Span(flows.Range{Start: u.TokenOffset, End: u.TokenOffset + n})},
			cell{text: Size(u.Asked)}, cell{text: Size(u.Written)}, cell{text: status}, cell{text: took})
	}
	return t.write(w, s)
}

func tokensCSV(w io.Writer, mints []flows.Mint) error {
	head := []string{"id", "type", "server", "frame", "source", "offset", "length", "ttl_ms", "uses", "consumed", "state"}
	return writeCSV(w, head, func(yield func([]string) bool) {
		for i := range mints {
			m := &mints[i]
			if !yield([]string{m.ID, tokenType(m), m.Server, strconv.Itoa(m.Frame), m.Source, number(m.Offset), number(m.Length),
				strconv.Itoa(int(m.TTL)), strconv.Itoa(len(m.Uses)), rangesCSV(m.Consumed), m.State.String()}) {
				return
			}
		}
	})
}

// TokenLayout says what the bytes of a token are.
func TokenLayout(m *flows.Mint) string {
	said := "bytes 0-3 type, 6-7 length of the id, from 8 on the id"
	switch kind := odx.TokenType(m.Type); {
	case len(m.Token) == 0:
		return "its bytes are not kept: there are too many tokens"
	case m.IsZero():
		return said + "; a zero token: it stands for zeros, and its id means nothing"
	case kind == odx.Native:
		return said + ", as illumos makes it"
	default:
		return said + ": " + kind.String()
	}
}
