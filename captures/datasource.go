package captures

import (
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/google/gopacket"

	"github.com/odxray/odxray/captures/linktype"
)

// dataFeed makes of a gopacket.PacketDataSource a feed: what libpcap's handles are.
type dataFeed struct {
	what Interface
	out  chan Packet
	quit chan struct{}
	once sync.Once
	done func()

	mu  sync.Mutex
	err error // why out was closed
}

// dataBatch is how many packets of a dataFeed may wait, and are handed out at once.
const dataBatch = 1 << 10

// newDataFeed reads from src, whose packets have one link type, until it fails or the feed
// is closed; done, which may be nil, is called then. After the errors in again it
// goes on: a read that took too long.
func newDataFeed(src gopacket.PacketDataSource, name string, link linktype.Type, snaplen int, again []error, done func()) *dataFeed {
	f := &dataFeed{out: make(chan Packet, dataBatch), quit: make(chan struct{}), done: done,
		what: Interface{Name: name, Link: link, LinkNumber: uint16(link), Snaplen: snaplen, TimeDigits: 6, FCSLen: -1}}
	go f.run(src, again)
	return f
}

func (f *dataFeed) run(src gopacket.PacketDataSource, again []error) {
	defer close(f.out)
	if f.done != nil {
		defer f.done()
	}
	for {
		data, ci, err := src.ReadPacketData()
		switch {
		case err == nil:
			data = data[:min(len(data), maxPacket)]
			select {
			case f.out <- Packet{Time: ci.Timestamp.UnixNano(), Link: f.what.Link, WireLen: max(ci.Length, len(data)), Data: data}:
				continue
			case <-f.quit:
				return
			}
		case slices.ContainsFunc(again, func(e error) bool { return errors.Is(err, e) }):
			select {
			case <-f.quit:
				return
			default:
				continue
			}
		}
		f.mu.Lock()
		if f.err = err; err != io.EOF {
			f.err = &Error{File: f.what.Name, Off: -1, Err: err}
		}
		f.mu.Unlock()
		return
	}
}

func (f *dataFeed) read(b *Batch, wait time.Duration) error {
	t := time.NewTimer(wait)
	defer t.Stop()
	b.own = b.own[:0]
	select {
	case p, ok := <-f.out:
		if !ok {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.err
		}
		b.own = append(b.own, p)
	case <-t.C:
		return nil
	}
	for len(b.own) < dataBatch {
		select {
		case p, ok := <-f.out:
			if ok {
				b.own = append(b.own, p)
				continue
			}
		default:
		}
		break
	}
	b.Packets = b.own
	return nil
}

func (f *dataFeed) interfaces() []Interface { return []Interface{f.what} }

// counts says nothing: RDMA sniffing counts no drops, whatever libpcap reports.
func (f *dataFeed) counts() []Counts { return []Counts{{}} }

func (f *dataFeed) close() error {
	f.once.Do(func() { close(f.quit) })
	return nil
}
