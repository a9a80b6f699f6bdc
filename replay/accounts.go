package replay

// Accounts: a server shows the SIDs of its own in security descriptors, and clients put
// them into those that they set. The target has others in their places.

import (
	"bytes"

	"github.com/odxray/odxray/dissect/smb2"
)

const (
	accountSize  = 28 // S-1-5-21-…-…-…-…: a domain's or a machine's, and the account in it. [MS-DTYP] 2.4.2
	infoSecurity = 3  // SMB2_0_INFO_SECURITY
)

// accountHead is how such a SID begins: revision 1, five subauthorities, the authority NT,
// and 21.
var accountHead = []byte{1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0}

// ownerAt returns where the owner's SID stands in an answer with a security descriptor, or
// the group's; 0 if nowhere, or if it is none of an account. [MS-DTYP] 2.4.6
func ownerAt(b []byte, group bool) int {
	const body = headerSize
	if len(b) < body+8 {
		return 0
	}
	at, n := uint32(le.Uint16(b[body+2:])), le.Uint32(b[body+4:])
	sd := part(b, at, n)
	if len(sd) < 20 {
		return 0
	}
	off := le.Uint32(sd[4:])
	if group {
		off = le.Uint32(sd[8:])
	}
	sid := part(sd, off, accountSize)
	if off == 0 || !bytes.HasPrefix(sid, accountHead) {
		return 0
	}
	return int(at + off)
}

// showsOwner reports whether the answer to a step holds a security descriptor.
func showsOwner(s *Step) bool {
	return s.Header.Command == smb2.QueryInfo && s.Exchange.InfoType == infoSecurity
}

// shown notes the accounts that an answer shows.
func (x *extraction) shown(s *Step, host int) {
	if !showsOwner(s) || statusOf(s.Answer) != 0 {
		return
	}
	for _, group := range []bool{false, true} {
		at := ownerAt(s.Answer, group)
		if at == 0 {
			continue
		}
		sid := s.Answer[at : at+accountSize]
		if _, known := x.current[slotKey{SlotSID, host, string(sid)}]; known {
			continue
		}
		slot := x.define(SlotSID, host, sid, -1, s.ID)
		x.accounts = append(x.accounts, slot)
		s.Defines = append(s.Defines, Use{slot, at, accountSize})
	}
}

// named notes the accounts that a request names in a security descriptor.
func (x *extraction) named(s *Step, host int) {
	from := headerSize
	switch s.Header.Command {
	case smb2.SetInfo:
		if len(s.Request) <= headerSize+2 || s.Request[headerSize+2] != infoSecurity {
			return
		}
	case smb2.Create:
		contexts, at := createContexts(s.Request)
		if len(contexts) == 0 {
			return
		}
		from = int(at)
	default:
		return
	}
	for _, slot := range x.accounts {
		if x.plan.Slots[slot].Host != host {
			continue
		}
		for at := from; at+accountSize <= len(s.Request); {
			n := bytes.Index(s.Request[at:], x.plan.Slots[slot].Old)
			if n < 0 {
				break
			}
			s.Uses = append(s.Uses, Use{slot, at + n, accountSize})
			at += n + accountSize
		}
	}
}

// learnOwners fills the slots of accounts from the target's answer. An account of another
// length leaves the captured one: it cannot stand in its place.
func (r *run) learnOwners(s *Step, b []byte) {
	for _, u := range s.Defines {
		if r.plan.Slots[u.Slot].Kind != SlotSID {
			continue
		}
		was := ownerAt(s.Answer, false) == u.Off
		if at := ownerAt(b, !was); at != 0 {
			r.setValue(u.Slot, b[at:at+accountSize])
		} else {
			r.setValue(u.Slot, r.plan.Slots[u.Slot].Old)
		}
	}
}
