package report

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows"
)

// Show prints the fields of frames of an indexed capture that has been run, and
// their bytes if hexdump is true.
func Show(w io.Writer, c *flows.Capture, frames []int, f Format, hexdump bool) error {
	var tree wire.Tree
	out := bufio.NewWriter(w)
	for i, n := range frames {
		tree.Reset()
		if err := c.Detail(n, &tree); err != nil {
			return fmt.Errorf("frame %d: %w", n, err)
		}
		switch f {
		case Text:
			if i > 0 {
				out.WriteByte('\n')
			}
			if err := tree.Text(out); err != nil {
				return err
			}
			if hexdump {
				dumpBuffers(out, &tree)
			}
		case JSON:
			if err := newJSONWriter(out).line(newTreeJSON(n, &tree, hexdump)); err != nil {
				return err
			}
		default:
			return errFormat(f)
		}
	}
	return out.Flush()
}

// dumpBuffers prints the bytes of a tree: the frame, and then what was made of it
// and others, with a heading each if there is more than one.
func dumpBuffers(w *bufio.Writer, t *wire.Tree) {
	for i, b := range t.Bufs {
		w.WriteByte('\n')
		if len(t.Bufs) > 1 {
			fmt.Fprintf(w, "%s (%s):\n", bufferName(t, i), Plural(len(b), "byte", "bytes"))
		}
		hexDump(w, b)
	}
}

func bufferName(t *wire.Tree, i int) string {
	if name := t.BufName(i); name != "" {
		return name
	}
	if i == 0 {
		return "Frame"
	}
	return fmt.Sprintf("Buffer %d", i)
}

// hexDump prints bytes as tshark -x does: 16 a line, with offset and text.
func hexDump(w *bufio.Writer, b []byte) {
	for off := 0; off < len(b); off += 16 {
		line := b[off:min(off+16, len(b))]
		fmt.Fprintf(w, "%04x  % -48x  ", off, line)
		for _, c := range line {
			if c < ' ' || c > '~' {
				c = '.'
			}
			w.WriteByte(c)
		}
		w.WriteByte('\n')
	}
}

// frameJSON is a frame as docs/schema/show.json describes it.
type frameJSON struct {
	Frame   int        `json:"frame"`
	Fields  []nodeJSON `json:"fields"`
	Dropped int        `json:"dropped,omitempty"`
	Bytes   []string   `json:"bytes,omitempty"`
}

type nodeJSON struct {
	Name     string          `json:"name,omitempty"`
	Text     string          `json:"text"`
	Value    json.RawMessage `json:"value,omitempty"`
	Buffer   int             `json:"buffer"`
	Offset   uint32          `json:"offset"`
	Length   uint32          `json:"length"`
	Children []nodeJSON      `json:"children,omitempty"`
}

func newTreeJSON(frame int, t *wire.Tree, bytes bool) frameJSON {
	j := frameJSON{Frame: frame, Fields: nodesJSON(t, 0, len(t.Nodes)), Dropped: t.Dropped}
	for _, b := range t.Bufs {
		if bytes {
			j.Bytes = append(j.Bytes, hex.EncodeToString(b))
		}
	}
	return j
}

// nodesJSON makes the nodes from first to end, exclusively, with all below them.
func nodesJSON(t *wire.Tree, first, end int) []nodeJSON {
	list := []nodeJSON{}
	for i := first; i < end; {
		n, next := &t.Nodes[i], i+1
		j := nodeJSON{Name: n.Field.Name, Text: t.Line(i), Buffer: int(n.Buf), Offset: n.Off, Length: n.Len}
		if n.Field.Kind != wire.KindStruct {
			j.Value = new(fieldObject).value(nil, t, i)
		}
		if next < int(n.End) {
			j.Children = nodesJSON(t, next, int(n.End))
			next = int(n.End)
		}
		list = append(list, j)
		i = next
	}
	return list
}
