package flows

// Oplock and lease breaks that a server waits for while a client waits for it.

import (
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

const (
	maxBreaks = 64      // kept, the latest
	maxLeases = 1 << 16 // lease keys whose file is kept
	longWait  = 1e9     // ns that a call waits for a break, beyond chance, if no STATUS_PENDING says so
)

// breakTable is what is known of breaks.
type breakTable struct {
	list   []opBreak
	leases map[leaseKey]uint32 // the files that they are for
}

type leaseKey struct {
	client string
	key    wire.GUID
}

// opBreak is a break that is to be acknowledged.
type opBreak struct {
	client string
	lease  wire.GUID
	open   smb2.FileID // of an oplock
	file   uint32      // 0 if unknown
	frame  uint32
	time   int64
	ack    uint32 // frame; 0 if there was none
	acked  int64
}

// leased keeps which file a lease is for.
func (a *Analyzer) leased(e *exchange, i uint32, b *smb2.CreateResponse) {
	a.opens[e.open].exclusive = b.OplockLevel == oplockExclusive || b.OplockLevel == oplockBatch
	c := a.byID[e.conn]
	t := &a.copies.breaks
	if c == nil || !b.Contexts.Has(smb2.ContextLease) || len(t.leases) >= maxLeases {
		return
	}
	t.leases[leaseKey{a.clientOf(c), b.Lease.Key}] = i
}

// Oplock levels whose break is to be acknowledged. [MS-SMB2] 2.2.14
const (
	oplockExclusive = 0x08
	oplockBatch     = 0x09
)

// breaks takes a notification of the server.
func (a *Analyzer) breaks(c *conn, m *smb2.Message) {
	t := &a.copies.breaks
	k := opBreak{client: a.clientOf(c), frame: a.frame, time: a.now}
	switch b := m.Body.(type) {
	case *smb2.LeaseBreakNotification:
		if b.Flags&1 == 0 { // SMB2_NOTIFY_BREAK_LEASE_FLAG_ACK_REQUIRED
			return
		}
		k.lease = b.Key
		k.file = t.leases[leaseKey{k.client, b.Key}]
	case *smb2.OplockBreakNotification:
		k.open = b.File
		for i := range a.sessions {
			o, ok := a.openByKey[openKey{uint32(i), b.File}]
			if ok && a.sessions[i].server == a.serverOf(c) {
				if k.file = a.fileOf(o); !a.opens[o].exclusive {
					return
				}
				break
			}
		}
	default:
		return
	}
	if len(t.list) >= maxBreaks {
		t.list = append(t.list[:0:0], t.list[maxBreaks/2:]...)
	}
	t.list = append(t.list, k)
}

// acknowledged takes the client's answer to a break.
func (a *Analyzer) acknowledged(c *conn, m *smb2.Message) {
	client := a.clientOf(c)
	for i := range a.copies.breaks.list {
		k := &a.copies.breaks.list[i]
		if k.client != client || k.ack != 0 {
			continue
		}
		switch b := m.Body.(type) {
		case *smb2.LeaseBreakAcknowledgment:
			if b.Key != k.lease {
				continue
			}
		case *smb2.OplockBreakAcknowledgment:
			if b.File != k.open || k.lease != (wire.GUID{}) {
				continue
			}
		default:
			return
		}
		k.ack, k.acked = a.frame, a.now
	}
}

// stalled notes for a call that has ended which break it waited for: one about its
// own file or its source.
func (a *Analyzer) stalled(c *conn, k *Call, on, from uint32) {
	if len(a.copies.breaks.list) == 0 {
		return
	}
	client := a.clientOf(c)
	end := k.Time + k.Took
	if k.Answer == 0 {
		end = a.now
	}
	for _, b := range a.copies.breaks.list {
		start := max(b.time, k.Time)
		switch {
		case b.client != client || start >= end:
		case b.ack != 0 && (b.acked < start || b.acked > end):
		case b.file != 0 && b.file != on && b.file != from || b.file == 0 && k.Interim == 0:
		case k.Interim == 0 && min(end, max(b.acked, start))-start < longWait && (b.ack != 0 || end-start < longWait):
		default:
			k.Break, k.Ack = int(b.frame), int(b.ack)
			return
		}
	}
}
