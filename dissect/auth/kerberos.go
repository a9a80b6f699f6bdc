package auth

import (
	"time"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/wire"
)

// Kerberos is what can be read of a Kerberos token without a key. RFC 4120 5.5, 5.9.1
type Kerberos struct {
	Type        KerberosType // zero if the token is of another kind
	Raw         []byte       // the message itself, for who has a key
	Realm       []byte       // of the server; AP-REQ and error
	Server      Principal    // AP-REQ and error
	EType       EType        // of the ticket in an AP-REQ, of the encrypted part of an AP-REP
	ClientRealm []byte       // error, if it tells
	Client      Principal    // error, if it tells
	Error       KerberosError
	Text        []byte          // error: an explanation
	Status      ntstatus.Status // error: Windows' own reason; zero if it gives none
}

// KerberosType is a message type. RFC 4120 7.5.7
type KerberosType uint8

const (
	APReq         KerberosType = 14
	APRep         KerberosType = 15
	KerberosFault KerberosType = 30
)

func (t KerberosType) String() string {
	switch t {
	case APReq:
		return "krb-ap-req"
	case APRep:
		return "krb-ap-rep"
	case KerberosFault:
		return "krb-error"
	}
	return "Unknown"
}

// The identifier octets of those: [APPLICATION type].
const (
	apReqTag = applicationTag + uint8(APReq)
	apRepTag = applicationTag + uint8(APRep)
	errorTag = applicationTag + uint8(KerberosFault)
)

func isKerberos(id uint8) bool { return id == apReqTag || id == apRepTag || id == errorTag }

// Principal is a PrincipalName. RFC 4120 5.2.2
type Principal struct {
	Type  NameType
	names []byte // BER strings
}

// String joins the names: cifs/server.example.com.
func (p Principal) String() string { return string(p.AppendTo(nil)) }

// AppendTo appends what String returns.
func (p Principal) AppendTo(b []byte) []byte {
	c := wire.New(p.names, nil)
	for c.Len() > 0 {
		e := inside(&c, stringTag, fSName)
		b = append(b, e.Pass(fSName, e.Len())...)
		if c.Len() > 0 {
			b = append(b, '/')
		}
	}
	return b
}

var (
	tokens  = fields.Section("RFC 4121 4.1, 4.2.6")
	fBlob   = tokens.Bytes("spnego.krb5.blob", "krb5_blob")
	fKrbOID = tokens.OID("spnego.krb5_oid", "KRB5 OID", oidName)
	fTokID  = tokens.Enum("spnego.krb5.tok_id", "krb5_tok_id", wire.Text[tokenID]).InHex()

	fCFXFlags = tokens.Hex("spnego.krb5.cfx_flags", "krb5_cfx_flags").List(
		tokens.Flag(4, "spnego.krb5.acceptor_subkey", "AcceptorSubkey", "Not set", "Set"),
		tokens.Flag(2, "spnego.krb5.sealed", "Sealed", "Not set", "Set"),
		tokens.Flag(1, "spnego.krb5.send_by_acceptor", "SendByAcceptor", "Not set", "Set"))
	fCFXFiller   = tokens.Bytes("spnego.krb5.filler", "krb5_filler")
	fCFXSequence = tokens.Uint("spnego.krb5.cfx_seq", "krb5_cfx_seq")
	fCFXChecksum = tokens.Bytes("spnego.krb5.sgn_cksum", "krb5_sgn_cksum")
)

var (
	krb        = fields.Section("RFC 4120 5.5")
	fKerberos  = krb.Struct("kerberos", "Kerberos")
	fAPReq     = krb.Struct("kerberos.ap_req_element", "ap-req")
	fAPRep     = krb.Struct("kerberos.ap_rep_element", "ap-rep")
	fPVNO      = krb.Int("kerberos.pvno", "pvno")
	fMsgType   = krb.Enum("kerberos.msg_type", "msg-type", wire.Text[KerberosType])
	fUnused    = krb.Uint("ber.bitstring.padding", "Padding")
	fAPOptions = krb.Bytes("kerberos.ap_options", "ap-options")
	fAPFlags   = krb.Hex("", "").Beside(
		krb.Flag(0x80, "kerberos.APOptions.reserved", "reserved", "False", "True"),
		krb.Flag(0x40, "kerberos.APOptions.use.session.key", "use-session-key", "False", "True"),
		krb.Flag(0x20, "kerberos.APOptions.mutual.required", "mutual-required", "False", "True"))
	fTicket        = krb.Struct("kerberos.ticket_element", "ticket")
	fTktVNO        = krb.Int("kerberos.tkt_vno", "tkt-vno")
	fAuthenticator = krb.Struct("kerberos.authenticator_element", "authenticator")
)

var (
	krbTypes = fields.Section("RFC 4120 5.2")
	fRealm   = krbTypes.ASCII("kerberos.realm", "realm")
	fServer  = nameFieldsOf("s", "S")
	fClient  = nameFieldsOf("c", "C")
	fSName   = fServer.name
	fEncPart = krbTypes.Struct("kerberos.enc_part_element", "enc-part")
	fEType   = krbTypes.Enum("kerberos.etype", "etype", func(v uint64) string { return EType(v).String() })
	fKVNO    = krbTypes.Int("kerberos.kvno", "kvno")
	fCipher  = krbTypes.Bytes("kerberos.cipher", "cipher")
)

var (
	krbError   = fields.Section("RFC 4120 5.9.1")
	fKrbError  = krbError.Struct("kerberos.krb_error_element", "krb-error")
	fCTime     = krbError.Timestamp("kerberos.ctime", "ctime")
	fCUSec     = krbError.Int("kerberos.cusec", "cusec")
	fSTime     = krbError.Timestamp("kerberos.stime", "stime")
	fSUSec     = krbError.Int("kerberos.susec", "susec")
	fErrorCode = krbError.Enum("kerberos.error_code", "error-code", func(v uint64) string { return KerberosError(v).field() })
	fCRealm    = krbError.ASCII("kerberos.crealm", "crealm")
	fEText     = krbError.ASCII("kerberos.e_text", "e-text")
	fEData     = krbError.Bytes("kerberos.e_data", "e-data")
)

var (
	extended   = fields.Section("[MS-KILE] 2.2.1, 2.2.2")
	fNTStatus  = extended.Enum("kerberos.smb.nt_status", "NT Status", wire.Text[ntstatus.Status]).InHex().Among(ntstatus.Numbers)
	fExtUnused = extended.Hex("kerberos.ext_error.reserved", "Reserved")
	fExtFlags  = extended.Hex("kerberos.ext_error.flags", "Flags")
)

// principalFields are those of a name, which a message has several of.
type principalFields struct{ whole, kind, names, name *wire.Field }

func nameFieldsOf(lower, upper string) principalFields {
	return principalFields{
		krbTypes.Struct("kerberos."+lower+"name_element", lower+"name"),
		krbTypes.Enum("kerberos.name_type", "name-type", func(v uint64) string { return NameType(v).String() }),
		krbTypes.Uint("kerberos."+lower+"name_string", lower+"name-string").Formatted(items),
		krbTypes.ASCII("kerberos."+upper+"NameString", upper+"NameString"),
	}
}

// kerberosBlob decodes a token within SPNEGO, with the GSS-API header or without.
func (m *Message) kerberosBlob(c *wire.Cursor, id uint8) {
	c.Meet("spnego-krb5")
	whole := *c
	whole.Bytes(fBlob, c.Len())
	mark := whole.Below(fBlob)
	if id == applicationTag {
		_, e := c.Element(fBlob)
		if m.Mechanism = mechanism(&e, fKrbOID); m.Mechanism != Unknown {
			m.Kerberos.decode(&e)
		}
		c.Join(&e)
	} else {
		m.Mechanism = Kerberos5
		m.Kerberos.decodeMessage(c)
	}
	c.End(mark)
}

// decode decodes what follows the GSS-API header. RFC 4121 4.1
func (k *Kerberos) decode(c *wire.Cursor) {
	switch tokenID(c.U16(fTokID)) {
	case 1, 2, 3:
		k.decodeMessage(c)
	}
}

func (k *Kerberos) decodeMessage(c *wire.Cursor) {
	defer c.Close(c.Open(fKerberos))
	k.Raw = c.Peek(c.Len())
	id, e := c.Element(fKerberos)
	switch id {
	case apReqTag:
		k.apReq(&e)
	case apRepTag:
		k.apRep(&e)
	case errorTag:
		k.error(&e)
	default:
		c.Fail(fKerberos, errTag)
	}
	c.Join(&e)
}

// head reads what begins every message.
func (k *Kerberos) head(c *wire.Cursor, id uint8) {
	switch id {
	case contextTag:
		integer(c, integerTag, fPVNO)
	case contextTag + 1:
		k.Type = KerberosType(integer(c, integerTag, fMsgType))
	}
}

func (k *Kerberos) apReq(c *wire.Cursor) {
	defer c.Close(c.Open(fAPReq))
	seq := inside(c, sequenceTag, fAPReq)
	for seq.Len() > 0 {
		id, e := seq.Element(fAPReq)
		switch id {
		case contextTag + 2:
			apOptions(&e)
		case contextTag + 3:
			k.ticket(&e)
		case contextTag + 4:
			mark := e.Open(fAuthenticator)
			encrypted(&e, fAuthenticator)
			e.Close(mark)
		default:
			k.head(&e, id)
		}
		seq.Join(&e)
	}
	c.Join(&seq)
}

// apOptions reads a BIT STRING: the number of bits that do not count, then the bits,
// the first of which is the highest. RFC 4120 5.2.8
func apOptions(c *wire.Cursor) {
	e := inside(c, bitStringTag, fAPOptions)
	e.U8(fUnused)
	flags := e
	e.Bytes(fAPOptions, e.Len())
	mark := e.Below(fAPOptions)
	if flags.Len() > 0 {
		flags.U8(fAPFlags)
	}
	e.End(mark)
	e.Join(&flags)
	c.Join(&e)
}

func (k *Kerberos) ticket(c *wire.Cursor) {
	defer c.Close(c.Open(fTicket))
	app := inside(c, applicationTag+1, fTicket)
	seq := inside(&app, sequenceTag, fTicket)
	for seq.Len() > 0 {
		id, e := seq.Element(fTicket)
		switch id {
		case contextTag:
			integer(&e, integerTag, fTktVNO)
		case contextTag + 1:
			k.Realm = octets(&e, stringTag, fRealm)
		case contextTag + 2:
			k.Server.decode(&e, &fServer)
		case contextTag + 3:
			mark := e.Open(fEncPart)
			k.EType = encrypted(&e, fEncPart)
			e.Close(mark)
		}
		seq.Join(&e)
	}
	app.Join(&seq)
	c.Join(&app)
}

func (k *Kerberos) apRep(c *wire.Cursor) {
	defer c.Close(c.Open(fAPRep))
	seq := inside(c, sequenceTag, fAPRep)
	for seq.Len() > 0 {
		id, e := seq.Element(fAPRep)
		if id == contextTag+2 {
			mark := e.Open(fEncPart)
			k.EType = encrypted(&e, fEncPart)
			e.Close(mark)
		} else {
			k.head(&e, id)
		}
		seq.Join(&e)
	}
	c.Join(&seq)
}

// encrypted reads an EncryptedData. RFC 4120 5.2.9
func encrypted(c *wire.Cursor, f *wire.Field) (t EType) {
	seq := inside(c, sequenceTag, f)
	for seq.Len() > 0 {
		id, e := seq.Element(f)
		switch id {
		case contextTag:
			t = EType(integer(&e, integerTag, fEType))
		case contextTag + 1:
			integer(&e, integerTag, fKVNO)
		case contextTag + 2:
			octets(&e, octetStringTag, fCipher)
		}
		seq.Join(&e)
	}
	c.Join(&seq)
	return t
}

func (p *Principal) decode(c *wire.Cursor, f *principalFields) {
	defer c.Close(c.Open(f.whole))
	seq := inside(c, sequenceTag, f.whole)
	for seq.Len() > 0 {
		id, e := seq.Element(f.whole)
		switch id {
		case contextTag:
			p.Type = NameType(integer(&e, integerTag, f.kind))
		case contextTag + 1:
			p.strings(&e, f)
		}
		seq.Join(&e)
	}
	c.Join(&seq)
}

func (p *Principal) strings(c *wire.Cursor, f *principalFields) {
	seq := inside(c, sequenceTag, f.names)
	look := seq.Ahead()
	p.names = look.Pass(f.names, look.Len())
	mark := seq.OverlayValue(f.names, seq.Len(), 0)
	n := uint64(0)
	for ; seq.Len() > 0; n++ {
		octets(&seq, stringTag, f.name)
	}
	seq.Title(mark, n, "")
	seq.Close(mark)
	c.Join(&seq)
}

func (k *Kerberos) error(c *wire.Cursor) {
	defer c.Close(c.Open(fKrbError))
	seq := inside(c, sequenceTag, fKrbError)
	for seq.Len() > 0 {
		id, e := seq.Element(fKrbError)
		switch id {
		case contextTag + 2:
			timestamp(&e, fCTime)
		case contextTag + 3:
			integer(&e, integerTag, fCUSec)
		case contextTag + 4:
			timestamp(&e, fSTime)
		case contextTag + 5:
			integer(&e, integerTag, fSUSec)
		case contextTag + 6:
			k.Error = KerberosError(integer(&e, integerTag, fErrorCode))
		case contextTag + 7:
			k.ClientRealm = octets(&e, stringTag, fCRealm)
		case contextTag + 8:
			k.Client.decode(&e, &fClient)
		case contextTag + 9:
			k.Realm = octets(&e, stringTag, fRealm)
		case contextTag + 10:
			k.Server.decode(&e, &fServer)
		case contextTag + 11:
			k.Text = octets(&e, stringTag, fEText)
		case contextTag + 12:
			k.data(&e)
		default:
			k.head(&e, id)
		}
		seq.Join(&e)
	}
	c.Join(&seq)
}

// timestamp reads a KerberosTime, 20260102150405Z. RFC 4120 5.2.3
func timestamp(c *wire.Cursor, f *wire.Field) {
	e := inside(c, timeTag, f)
	look := e.Ahead()
	var at [15]byte
	if copy(at[:], look.Pass(f, look.Len())) == len(at) {
		if t, err := time.Parse("20060102150405Z", string(at[:])); err == nil {
			e.OverlayValue(f, len(at), uint64(t.UnixNano()))
		}
	}
	e.Pass(f, e.Len())
	c.Join(&e)
}

// data reads e-data, the form of which depends on the error. Windows says there which
// NTSTATUS it has in mind, in a TypedData of type 3.
func (k *Kerberos) data(c *wire.Cursor) {
	e := inside(c, octetStringTag, fEData)
	look, inner := e.Ahead(), e
	e.Bytes(fEData, e.Len())
	mark := e.Below(fEData)
	const windows = "\x30\x15\xa1\x03\x02\x01\x03\xa2\x0e\x04\x0c"
	if string(look.Pass(fEData, min(len(windows), look.Len()))) == windows {
		inner.Pass(fEData, len(windows))
		k.Status = ntstatus.Status(inner.U32(fNTStatus))
		inner.U32(fExtUnused)
		inner.U32(fExtFlags)
	}
	e.End(mark)
	e.Join(&inner)
	c.Join(&e)
}

// checksum decodes a MIC token of Kerberos', if that is what the rest of c is.
// RFC 4121 4.2.6.1
func checksum(c *wire.Cursor) bool {
	look := c.Ahead()
	if look.Len() < 16 || look.BE16(fTokID) != 0x0404 {
		return false
	}
	whole := *c
	whole.Bytes(fBlob, c.Len())
	mark := whole.Below(fBlob)
	c.U16(fTokID)
	c.U8(fCFXFlags)
	c.Skip(fCFXFiller, 5)
	c.BE64(fCFXSequence)
	c.Skip(fCFXChecksum, c.Len())
	c.End(mark)
	return true
}
