package copies

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/odxray/odxray/replay/client"
)

const (
	block = 1 << 20 // bytes of a READ or WRITE
	ahead = 4       // of them under way
)

// read is a block that comes, or has come.
type read struct {
	b   []byte
	err error
}

// blocks reads a file and yields its blocks in their order, some of them read ahead.
func blocks(ctx context.Context, f *client.File, size int64, yield func(at int64, b []byte) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := make(chan chan read, ahead)
	go func() {
		defer close(queue)
		for at := int64(0); at < size; at += block {
			coming := make(chan read, 1)
			select {
			case queue <- coming:
			case <-ctx.Done():
				return
			}
			go func() {
				b := make([]byte, min(block, size-at))
				n, err := f.ReadAt(ctx, b, at)
				if err == io.EOF {
					err = fmt.Errorf("%s ends at %d, not at %d", f.Name, at+int64(n), size)
				}
				coming <- read{b, err}
			}()
		}
	}()
	at := int64(0)
	for coming := range queue {
		r := <-coming
		if r.err != nil {
			return r.err
		}
		if err := yield(at, r.b); err != nil {
			return err
		}
		at += int64(len(r.b))
	}
	if at < size {
		return context.Cause(ctx)
	}
	return nil
}

// plain copies by READ and WRITE, as where nothing else is possible.
func (c *copying) plain(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	under := make(chan struct{}, ahead)
	err := blocks(ctx, c.from, c.size, func(at int64, b []byte) error {
		under <- struct{}{}
		c.result.Reads++
		c.result.Writes++
		go func() {
			if _, err := c.to.WriteAt(ctx, b, at); err != nil {
				cancel(err)
			}
			<-under
		}()
		c.progress("copying", at+int64(len(b)))
		return context.Cause(ctx)
	})
	for range ahead { // until none is under way
		under <- struct{}{}
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// verify reads both files back and compares.
func (c *copying) verify(ctx context.Context) error {
	sums := make([]string, 2)
	for i, f := range []*client.File{c.from, c.to} {
		h := sha256.New()
		stage := [...]string{"reading the source", "reading the copy"}[i]
		err := blocks(ctx, f, c.size, func(at int64, b []byte) error {
			h.Write(b)
			c.progress(stage, at+int64(len(b)))
			return nil
		})
		if err != nil {
			return err
		}
		if n, err := f.ReadAt(ctx, make([]byte, 1), c.size); err != io.EOF {
			if err == nil && n > 0 {
				return fmt.Errorf("%s is longer than %d bytes: %w", f.Name, c.size, ErrDiffers)
			}
			return err
		}
		sums[i] = hex.EncodeToString(h.Sum(nil))
	}
	if sums[0] != sums[1] {
		return fmt.Errorf("%w: SHA-256 %s of the source, %s of the copy", ErrDiffers, sums[0], sums[1])
	}
	c.result.SHA256 = sums[0]
	return nil
}
