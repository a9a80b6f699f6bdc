package captures

import (
	"slices"
	"sync"
	"time"
)

// streamFeed makes of a Source, whose reads may wait for ever, a feed. The Source is for
// the goroutine that reads; the others see what it has told.
type streamFeed struct {
	src  Source
	out  chan streamed
	quit chan struct{}
	done chan struct{} // closed when nothing reads any more
	once sync.Once
	end  error

	mu   sync.Mutex
	info FileInfo
}

type streamed struct {
	batch Batch
	err   error
}

func newStreamFeed(src Source) *streamFeed {
	f := &streamFeed{src: src, out: make(chan streamed), quit: make(chan struct{}), done: make(chan struct{})}
	f.tell()
	go f.run()
	return f
}

func (f *streamFeed) run() {
	defer close(f.done)
	for {
		var s streamed
		s.err = f.src.ReadBatch(&s.batch)
		f.tell()
		select {
		case f.out <- s:
		case <-f.quit:
			return
		}
		if s.err != nil {
			return
		}
	}
}

// tell keeps what the Source says of itself.
func (f *streamFeed) tell() {
	info := f.src.Info()
	info.Interfaces = slices.Clone(info.Interfaces)
	f.mu.Lock()
	f.info = info
	f.mu.Unlock()
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

// told returns what the Source has said of itself last.
func (f *streamFeed) told() FileInfo {
	f.mu.Lock()
	defer f.mu.Unlock()
	info := f.info
	info.Interfaces = slices.Clone(info.Interfaces)
	return info
}

func (f *streamFeed) interfaces() []Interface { return f.told().Interfaces }

func (f *streamFeed) counts() []Counts {
	var list []Counts
	for _, i := range f.told().Interfaces {
		list = append(list, Counts{Dropped: i.Dropped})
	}
	return list
}

// close ends the reading, and then the Source. A read that waits for a stream which says
// nothing is left alone: it ends with the program.
func (f *streamFeed) close() error {
	f.once.Do(func() { close(f.quit) })
	select {
	case <-f.done:
		return f.src.Close()
	case <-time.After(haltWithin):
		return nil
	}
}
