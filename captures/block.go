package captures

import "sync/atomic"

const (
	maxPacket  = 256 << 10 // the most bytes a packet may have
	maxOptions = 64 << 10  // the most bytes of options a record may have

	blockSize = 256 << 10
	// A block leaves room before what is read into it for the start of a record
	// that began in the block before.
	blockFront = maxPacket + maxOptions + 4<<10
	// It has as much room for the rest of a record that is longer than what is read at once.
	blockBytes = 2 * blockFront
	ringSize   = 4
)

// A block holds a piece of the file and the packets in it. It goes back to its
// ring when nobody holds it any more.
type block struct {
	buf     []byte
	end     int   // buf[:end] has been read
	base    int64 // buf[i] lies at base+i in the file
	packets []Packet
	ring    *ring  // of a file
	free    func() // where there is no ring; may be nil
	refs    atomic.Int32
}

func (b *block) release() {
	switch {
	case b.refs.Add(-1) > 0:
	case b.ring != nil:
		b.ring.free <- b
	case b.free != nil:
		b.free()
	}
}

// A ring hands out a few blocks and waits when all are in use.
type ring struct {
	free  chan *block
	count int
	size  int // bytes of a block
}

func newRing(size int) *ring { return &ring{free: make(chan *block, ringSize), size: size} }

func (g *ring) get() *block {
	var b *block
	select {
	case b = <-g.free:
	default:
		if g.count < ringSize {
			g.count++
			b = &block{buf: make([]byte, g.size), ring: g}
		} else {
			b = <-g.free
		}
	}
	b.refs.Store(1)
	return b
}

// Batch is what [Reader.ReadBatch] fills: the packets of one block, or of a block
// of each file.
type Batch struct {
	Packets []Packet // valid until Release
	blocks  []*block
	own     []Packet // where a batch of several blocks lists its packets
}

// Release gives the block back. A reader has four of them and waits for one when
// all are held.
func (b *Batch) Release() {
	b.Packets = nil
	for i, k := range b.blocks {
		b.blocks[i] = nil
		k.release()
	}
	b.blocks = b.blocks[:0]
}

// hold makes the batch a holder of k.
func (b *Batch) hold(k *block) {
	k.refs.Add(1)
	b.blocks = append(b.blocks, k)
}
