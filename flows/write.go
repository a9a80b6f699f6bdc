package flows

import (
	"context"
	"fmt"
	"io"

	"github.com/odxray/odxray/captures"
)

// Write writes frames as a pcapng file of their own, in the order given; wrote is told
// after each how many there are. comments returns what is said of a frame; it may be nil.
// Only with Options.Index.
func (c *Capture) Write(ctx context.Context, w io.Writer, frames []int, comments func(n int) []string, wrote func(n int)) error {
	out, err := captures.NewWriter(w, captures.WriterOptions{Application: "odxray", Like: c.source})
	if err != nil {
		return err
	}
	for i, n := range frames {
		if err := ctx.Err(); err != nil {
			return err
		}
		var about []string
		if comments != nil {
			about = comments(n)
		}
		if err := c.writeFrame(out, n, about); err != nil {
			return err
		}
		wrote(i + 1)
	}
	return nil
}

// kept returns what is known of frame n.
func (ix *index) kept(n int) (*indexedFrame, error) {
	if n < 1 || n > ix.frames.n {
		return nil, fmt.Errorf("no frame %d: there are %d", n, ix.frames.n)
	}
	if n <= ix.frames.gone {
		return nil, fmt.Errorf("frame %d was forgotten for want of memory", n)
	}
	return ix.frames.at(n - 1), nil
}

func (c *Capture) writeFrame(out *captures.Writer, n int, comments []string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, err := c.a.index.kept(n)
	if err != nil {
		return err
	}
	if err := c.source.At(int64(f.pos&(1<<posBits-1)), &c.packet); err != nil {
		return err
	}
	return out.Packet(&c.packet, comments...)
}
