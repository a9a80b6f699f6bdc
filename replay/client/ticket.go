package client

// Log-on by Kerberos: one message with a ticket, one that proves the server, and where the
// server wants it the list of mechanisms signed. [MS-SMB2] 3.2.4.2.3, RFC 4178

import (
	"bytes"
	"context"
	"fmt"

	"github.com/odxray/odxray/dissect/auth"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
)

// Kerberos is a user who has tickets, or can get them; package kerberos makes one.
type Kerberos interface {
	Name() string // the principal
	// Initiate begins with a service, such as cifs/server.example.com.
	Initiate(ctx context.Context, service string) (GSS, error)
}

// GSS is one log-on by Kerberos.
type GSS interface {
	Request() []byte              // the AP-REQ
	Accept(reply []byte) error    // takes the server's AP-REP
	Key() []byte                  // the session key, once that was accepted
	MIC(list []byte) []byte       // the client's signature of a list of mechanisms
	Verify(mic, list []byte) bool // the server's
}

// anonymous tells whether nobody logs in.
func (c *Credentials) anonymous() bool { return c.User == "" && c.Kerberos == nil }

// name is who logs in, for errors.
func (c *Credentials) name() string {
	if c.Kerberos != nil {
		return c.Kerberos.Name()
	}
	return c.User
}

// verified tells whether the server's signature of the list of mechanisms is good.
func (p *setup) verified(mic []byte) bool {
	if p.gss != nil {
		return p.gss.Verify(mic, p.mechs)
	}
	return bytes.Equal(mic, seal.NTLMSign(p.key, p.flags, true, 0, p.mechs))
}

// byTicket is login with Kerberos.
func (p *setup) byTicket(ctx context.Context) (*Session, error) {
	var err error
	if p.gss, err = p.who.Kerberos.Initiate(ctx, "cifs/"+p.c.o.ServerName); err != nil {
		return nil, err
	}
	// The wrong number that Windows 2000 gave Kerberos comes first, as Windows and Samba
	// have it: an acceptor knows both. [MS-SPNG] 3.1.5.2
	p.mechs = auth.MechTypes(auth.MSKerberos5, auth.Kerberos5)
	token := auth.InitToken(p.mechs, auth.KerberosToken(p.gss.Request()))
	for rounds := 0; ; rounds++ {
		a, err := p.round(ctx, token)
		if err != nil {
			return nil, err
		}
		if a.Status != ntstatus.Success && a.Status != ntstatus.MoreProcessingRequired {
			return nil, p.refused(a)
		}
		p.id = a.SessionID
		if err := p.accept(a); err != nil {
			return nil, err
		}
		switch {
		case a.Status == ntstatus.Success && p.key == nil:
			return nil, protocolError("a session without an answer of Kerberos")
		case a.Status == ntstatus.Success:
			return p.finish(a)
		case p.key == nil || rounds > 0:
			return nil, protocolError("the server wants more than a ticket")
		}
		token = auth.RespToken(nil, p.gss.MIC(p.mechs))
	}
}

// accept takes what an answer holds of Kerberos.
func (p *setup) accept(a *Answer) error {
	var d smb2.Decoder
	r, err := sessionToken(&d, a)
	if err != nil {
		return err
	}
	k := &r.Auth.Kerberos
	switch supported := r.Auth.SPNEGO.Supported; {
	case r.Flags&(smb2.SessionGuest|smb2.SessionNull) != 0 && p.key == nil && k.Type == 0:
		p.key = []byte{} // a guest needs none
	case k.Type == auth.APRep:
		if err := p.gss.Accept(k.Raw); err != nil {
			return fmt.Errorf("%s: %w", p.who.name(), err)
		}
		p.key = p.gss.Key()
	case k.Type == auth.KerberosFault:
		return fmt.Errorf("%s: the server says %v", p.who.name(), k.Error)
	case supported != 0 && supported != auth.MSKerberos5 && supported != auth.Kerberos5:
		return fmt.Errorf("the server takes no Kerberos, but %v", supported)
	}
	return nil
}
