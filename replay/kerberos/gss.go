package kerberos

// The client's side of GSS-API: the token, the server's, the key that both leave, and
// the signature over SPNEGO's list of mechanisms. RFC 4121 4.1, 4.2.6.1

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/chksumtype"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/odxray/odxray/replay/client"
)

// exchange is one AP exchange.
type exchange struct {
	request   []byte // AP-REQ
	who       types.Authenticator
	ticketKey types.EncryptionKey
	key       types.EncryptionKey // that of the session
	acceptors bool                // key came from the server
}

// GSS flags of the authenticator's checksum: mutual, replay, sequence, confidentiality,
// integrity. RFC 4121 4.1.1.1
const gssFlags = 2 | 4 | 8 | 16 | 32

// initiate makes an AP-REQ that asks for an answer.
func initiate(realm string, cname types.PrincipalName, ticket messages.Ticket, key types.EncryptionKey) (client.GSS, error) {
	x := &exchange{ticketKey: key}
	err := shielded(func() (err error) {
		if x.who, err = types.NewAuthenticator(realm, cname); err != nil {
			return err
		}
		if err = x.who.GenerateSeqNumberAndSubKey(key.KeyType, len(key.KeyValue)); err != nil {
			return err
		}
		x.key = x.who.SubKey
		const bindings = 16 // bytes of channel bindings, of which there are none
		sum := binary.LittleEndian.AppendUint32(nil, bindings)
		sum = append(sum, make([]byte, bindings)...)
		x.who.Cksum = types.Checksum{CksumType: chksumtype.GSSAPI, Checksum: binary.LittleEndian.AppendUint32(sum, gssFlags)}
		m, err := messages.NewAPReq(ticket, key, x.who)
		if err != nil {
			return err
		}
		types.SetFlag(&m.APOptions, flags.APOptionMutualRequired)
		x.request, err = m.Marshal()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the ticket cannot be used: %w", err)
	}
	return x, nil
}

func (x *exchange) Request() []byte { return x.request }

// Accept takes the server's AP-REP. RFC 4120 3.2.5
func (x *exchange) Accept(reply []byte) error {
	return shielded(func() error {
		var m messages.APRep
		if err := m.Unmarshal(reply); err != nil {
			return errors.New("the server's answer is no AP-REP")
		}
		plain, err := crypto.DecryptEncPart(m.EncPart, x.ticketKey, keyusage.AP_REP_ENCPART)
		if err != nil {
			return errors.New("the server's AP-REP is not made with the ticket's key")
		}
		var part messages.EncAPRepPart
		if err := part.Unmarshal(plain); err != nil {
			return errors.New("the server's AP-REP cannot be read")
		}
		if part.Cusec != x.who.Cusec || part.CTime.Unix() != x.who.CTime.Unix() {
			return errors.New("the server's AP-REP answers another AP-REQ")
		}
		if len(part.Subkey.KeyValue) > 0 {
			x.key, x.acceptors = part.Subkey, true
		}
		return nil
	})
}

// Key is the session key. [MS-KILE] 3.1.1.2
func (x *exchange) Key() []byte { return x.key.KeyValue }

// cfx tells whether the key is of a type that RFC 4121 signs with; RC4 has another way.
func (x *exchange) cfx() bool {
	return x.key.KeyType != etypeID.RC4_HMAC && x.key.KeyType != etypeID.RC4_HMAC_EXP
}

// MIC signs the list of mechanisms; nil where that is not needed to be believed.
func (x *exchange) MIC(list []byte) (mic []byte) {
	if !x.cfx() {
		return nil
	}
	_ = shielded(func() error {
		t := gssapi.MICToken{SndSeqNum: uint64(x.who.SeqNumber), Payload: list}
		if x.acceptors {
			t.Flags |= gssapi.MICTokenFlagAcceptorSubkey
		}
		if err := t.SetChecksum(x.key, keyusage.GSSAPI_INITIATOR_SIGN); err != nil {
			return err
		}
		b, err := t.Marshal()
		mic = b
		return err
	})
	return mic
}

// Verify checks the server's signature of the list of mechanisms.
func (x *exchange) Verify(mic, list []byte) bool {
	if !x.cfx() {
		return true
	}
	return shielded(func() error {
		t := gssapi.MICToken{Payload: list}
		if err := t.Unmarshal(mic, true); err != nil {
			return err
		}
		ok, err := t.Verify(x.key, keyusage.GSSAPI_ACCEPTOR_SIGN)
		if err == nil && !ok {
			err = errors.New("it does not fit")
		}
		return err
	}) == nil
}
