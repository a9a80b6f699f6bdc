package flows

// Session keys of Kerberos, for who has the server's keytab. gokrb5 knows the
// encryption types, and panics on some of what is too short for them: nothing it does
// here is needed so much that this should end a program.

import (
	"errors"
	"fmt"
	"slices"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/keytab"
	krb5 "github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/odxray/odxray/dissect/auth"
)

// AddKeytab adds the keys of a keytab, given its bytes.
func (k *Keys) AddKeytab(b []byte) error {
	kt := keytab.New()
	err := shielded(func() error { return kt.Unmarshal(slices.Clip(b)) }) // it reads past the end as far as there is room
	switch {
	case err != nil:
		return errors.New("it is no keytab")
	case len(kt.Entries) == 0:
		return errors.New("it holds no keys")
	}
	for i := range kt.Entries {
		k.services = append(k.services, kt.Entries[i].Key)
	}
	return nil
}

// shielded makes a panic of f an error.
func shielded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return f()
}

// apRequest takes the client's message: a ticket, and in it the key that the client
// and the server share.
func (a *Analyzer) apRequest(l *login, k *auth.Kerberos) {
	l.keys, l.ticketKey, l.why = nil, types.EncryptionKey{}, ""
	if len(a.keys.services) == 0 {
		l.why = "the user logged in with Kerberos, and no keytab was given"
		return
	}
	err := shielded(func() error { return a.openTicket(l, k.Raw) })
	if err != nil || l.keys == nil {
		l.why = fmt.Sprintf("the keytab does not open the ticket for %v@%s (%v)", k.Server, k.Realm, k.EType)
	}
}

func (a *Analyzer) openTicket(l *login, raw []byte) error {
	var req krb5.APReq
	if err := req.Unmarshal(raw); err != nil {
		return err
	}
	for _, key := range a.keys.services {
		if key.KeyType != req.Ticket.EncPart.EType {
			continue
		}
		plain, err := crypto.DecryptEncPart(req.Ticket.EncPart, key, keyusage.KDC_REP_TICKET)
		if err != nil {
			continue
		}
		var ticket krb5.EncTicketPart
		if err := ticket.Unmarshal(plain); err != nil {
			return err
		}
		l.ticketKey = ticket.Key
		l.keys, l.origin = [][]byte{ticket.Key.KeyValue}, "keytab"
		l.user, l.realm = ticket.CName.PrincipalNameString(), ticket.CRealm
		plain, err = crypto.DecryptEncPart(req.EncryptedAuthenticator, ticket.Key, keyusage.AP_REQ_AUTHENTICATOR)
		if err != nil {
			return err
		}
		var who types.Authenticator
		if err := who.Unmarshal(plain); err != nil {
			return err
		}
		if len(who.SubKey.KeyValue) > 0 {
			l.keys = [][]byte{who.SubKey.KeyValue, ticket.Key.KeyValue}
		}
		return nil
	}
	return errors.New("no key fits")
}

// apReply takes the server's message, which may bring a key of its own: that is the
// session key then. RFC 4121 2, [MS-KILE] 3.1.1.2
func (a *Analyzer) apReply(l *login, k *auth.Kerberos) {
	if len(l.ticketKey.KeyValue) == 0 {
		return
	}
	_ = shielded(func() error { // without it the client's key remains
		var rep krb5.APRep
		if err := rep.Unmarshal(k.Raw); err != nil {
			return err
		}
		plain, err := crypto.DecryptEncPart(rep.EncPart, l.ticketKey, keyusage.AP_REP_ENCPART)
		if err != nil {
			return err
		}
		var part krb5.EncAPRepPart
		if err := part.Unmarshal(plain); err != nil {
			return err
		}
		if len(part.Subkey.KeyValue) > 0 {
			l.keys = append([][]byte{part.Subkey.KeyValue}, l.keys...)
		}
		return nil
	})
}
