package captures

import (
	"sync"
	"time"
)

// streamFeed makes of a Source, whose reads may wait for ever, a feed.
type streamFeed struct {
	src  Source
	out  chan streamed
	quit chan struct{}
	once sync.Once
	end  error
}

type streamed struct {
	batch Batch
	err   error
}

func newStreamFeed(src Source) *streamFeed {
	f := &streamFeed{src: src, out: make(chan streamed), quit: make(chan struct{})}
	go func() {
		for {
			var s streamed
			s.err = src.ReadBatch(&s.batch)
			select {
			case f.out <- s:
			case <-f.quit:
				return
			}
			if s.err != nil {
				return
			}
		}
	}()
	return f
}

func (f *streamFeed) read(b *Batch, wait time.Duration) error {
	if f.end != nil {
		return f.end
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case s := <-f.out:
		if f.end = s.err; s.err == nil {
			*b = s.batch
		}
	case <-t.C:
	}
	return f.end
}

func (f *streamFeed) interfaces() []Interface { return f.src.Info().Interfaces }

func (f *streamFeed) counts() []Counts {
	var list []Counts
	for _, i := range f.src.Info().Interfaces {
		list = append(list, Counts{Dropped: i.Dropped})
	}
	return list
}

func (f *streamFeed) close() error {
	f.once.Do(func() { close(f.quit) })
	return f.src.Close()
}

// rereads reports whether At works.
func (r *Reader) rereads() bool { return r.random != nil }
