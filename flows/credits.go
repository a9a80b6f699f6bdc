package flows

// Credits: how many requests a client may have on its way. [MS-SMB2] 3.2.4.1.2, 3.3.1.1

import (
	"github.com/odxray/odxray/dissect/smb2"
)

// credits are those of one connection.
type credits struct {
	Credits
	ran      int64 // time at which the client ran out of them; 0 if it has some
	waited   int64 // ns that it had none, before the next request
	released bool  // waited is of the stall that has just ended
	past     *history
}

// remember keeps the window, for those who draw it over time. Not all connections have a
// history: there may be very many.
func (a *Analyzer) remember(k *credits) {
	if !k.Known {
		return
	}
	if k.past == nil {
		if a.direct.histories >= maxHistories {
			return
		}
		a.direct.histories++
		k.past = new(history)
	}
	k.past.add(a.now, k.Window)
}

// published returns what the outside may know.
func (k *credits) published() Credits {
	c := k.Credits
	if k.past != nil {
		c.History = append([]CreditPoint(nil), k.past.points...)
	}
	return c
}

// spend takes a request, and returns how long the client had no credits just before.
// A CANCEL is free. The capture shows the window only from the connection's first
// message on, and as long as nothing of it is lost.
func (k *credits) spend(c *conn, m *smb2.Message, now int64) (waited int64) {
	if m.Command == smb2.Negotiate && c.messages == 1 && c.syn {
		k.Known, k.Window = true, 1
	}
	charge := max(1, int(m.CreditCharge))
	k.Charged += uint64(charge)
	k.Asked += uint64(m.Credits)
	if !k.Known {
		return 0
	}
	if k.Window -= charge; k.Window < 0 || c.lost > 0 {
		k.forget()
		return 0
	}
	if k.released {
		waited, k.released = k.waited, false
	}
	// Who logs in gets one credit at a time, and needs no more.
	if k.Window == 0 && m.Command != smb2.Negotiate && m.Command != smb2.SessionSetup {
		k.ran = now
	}
	return waited
}

// grant takes a response, interim ones too.
func (k *credits) grant(c *conn, m *smb2.Message, now int64) {
	if m.Command == smb2.Negotiate && c.messages == 1 && c.syn { // the answer to SMB1
		k.Known = true
	}
	k.Granted += uint64(m.Credits)
	if !k.Known {
		return
	}
	if k.Window += int(m.Credits); k.Window > k.Most {
		k.Most = k.Window
	}
	if k.ran != 0 && k.Window > 0 {
		k.waited, k.released = now-k.ran, true
		k.Stalls++
		k.Stalled += k.waited
		k.ran = 0
	}
}

// forget gives up counting: something was not in the capture.
func (k *credits) forget() { k.Known, k.Window, k.ran, k.released = false, 0, 0, false }
