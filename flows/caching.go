package flows

// Oplocks and leases: what clients may cache, what servers take back.

import (
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

const (
	maxShownBreaks = 1 << 12 // kept
	maxHolds       = 1 << 16 // leases and oplocks that are followed at once
)

// holdKey names what a client holds: a lease, which the client's opens of a file
// share, or the oplock of one open. [MS-SMB2] 3.3.1.11, 3.3.1.10
type holdKey struct {
	client string
	lease  wire.GUID
	file   smb2.FileID // of an oplock
}

// hold is a granted lease or oplock.
type hold struct {
	key     holdKey
	level   Caching
	name    uint32 // path
	opens   int    // that share it
	waiting int    // index of its break in cachingTable.breaks, plus 1, until that is acknowledged; 0 if there is none
}

// cachingTable is all of them, and all breaks.
type cachingTable struct {
	holds  map[holdKey]*hold
	breaks []CacheBreak
	CacheCounts
}

// granted takes the answer of a CREATE, the open of which exists by now.
func (a *Analyzer) granted(c *conn, open uint32, b *smb2.CreateResponse) {
	t := &a.caching
	k := holdKey{client: a.clientOf(c)}
	level := Caching{Oplock: b.OplockLevel}
	switch {
	case b.Contexts.Has(smb2.ContextLease):
		k.lease = b.Lease.Key
		level = Caching{Oplock: smb2.OplockLease, Lease: b.Lease.State}
		t.Leases++
	case b.OplockLevel == smb2.OplockNone:
		return
	default:
		k.file = b.File
		t.Oplocks++
	}
	h := t.holds[k]
	if h == nil {
		if len(t.holds) >= maxHolds {
			t.Forgotten++
			return
		}
		h = &hold{key: k}
		if t.holds == nil {
			t.holds = make(map[holdKey]*hold)
		}
		t.holds[k] = h
	}
	o := &a.opens[open]
	h.level, h.name = level, o.name
	if o.hold != h {
		h.opens++
		o.hold = h
	}
}

// letGo ends what an open holds.
func (a *Analyzer) letGo(o *openState) {
	h := o.hold
	if h == nil {
		return
	}
	if h.opens--; h.opens == 0 && a.caching.holds[h.key] == h {
		delete(a.caching.holds, h.key)
	}
	o.hold = nil
}

// broken takes a server's demand to give up caching.
func (a *Analyzer) broken(c *conn, m *smb2.Message) {
	t := &a.caching
	k := holdKey{client: a.clientOf(c)}
	y := CacheBreak{Conn: int(c.id), Frame: int(a.frame), Time: a.now}
	switch b := m.Body.(type) {
	case *smb2.LeaseBreakNotification:
		k.lease = b.Key
		y.From, y.FromKnown = Caching{smb2.OplockLease, b.Current}, true
		y.To = Caching{smb2.OplockLease, b.New}
		y.Needed = b.Flags&1 != 0 // SMB2_NOTIFY_BREAK_LEASE_FLAG_ACK_REQUIRED
	case *smb2.OplockBreakNotification:
		k.file = b.File
		y.To = Caching{Oplock: b.OplockLevel}
		y.Needed = true
	default:
		return
	}
	t.Breaks++
	h := t.holds[k]
	if h != nil {
		y.File = a.names[h.name]
		if k.lease == (wire.GUID{}) {
			y.From, y.FromKnown = h.level, true
			// Nobody waits for who may only read. [MS-SMB2] 3.3.4.6
			y.Needed = h.level.Oplock != smb2.OplockII
		}
		h.level = y.To
	}
	if len(t.breaks) >= maxShownBreaks {
		return
	}
	t.breaks = append(t.breaks, y)
	if h != nil && y.Needed {
		h.waiting = len(t.breaks)
	}
}

// gaveUp takes the client's acknowledgement of a break.
func (a *Analyzer) gaveUp(c *conn, m *smb2.Message) {
	t := &a.caching
	k := holdKey{client: a.clientOf(c)}
	var level Caching
	switch b := m.Body.(type) {
	case *smb2.LeaseBreakAcknowledgment:
		k.lease, level = b.Key, Caching{smb2.OplockLease, b.State}
	case *smb2.OplockBreakAcknowledgment:
		k.file, level = b.File, Caching{Oplock: b.OplockLevel}
	default:
		return
	}
	h := t.holds[k]
	if h == nil || h.waiting == 0 {
		return
	}
	y := &t.breaks[h.waiting-1]
	y.Ack, y.AckTime, y.Kept = int(a.frame), a.now, level
	h.level, h.waiting = level, 0
}

// breaksShown returns the breaks as the outside sees them.
func (t *cachingTable) breaksShown() []CacheBreak { return append([]CacheBreak(nil), t.breaks...) }
