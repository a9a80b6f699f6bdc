// Package kerberos logs a user in by Kerberos: a ticket for a server's service from a
// credential cache, or from a KDC to who has a password or a keytab, and what GSS-API
// makes of it. RFC 4120, RFC 4121, [MS-KILE]
//
// It reads what kinit and smbclient read: krb5.conf ($KRB5_CONFIG), the cache that
// $KRB5CCNAME names, the keytab of $KRB5_CLIENT_KTNAME. The work is gokrb5's, which knows
// no context and panics on some of what is too short for it: both are kept inside.
package kerberos

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	krb5 "github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/credentials"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/odxray/odxray/replay/client"
)

// User is who logs in, and how that is proved.
type User struct {
	realm string
	cname types.PrincipalName
	cache *credentials.CCache // tickets that are there; nil if there is no cache
	kdc   *krb5.Client        // gets more of them; nil if the cache holds no ticket for that
	mu    sync.Mutex          // held while the KDC is asked
}

// Name is the user's principal: user@REALM.
func (u *User) Name() string { return u.cname.PrincipalNameString() + "@" + u.realm }

// Close forgets the keys, once nobody asks with them any more.
func (u *User) Close() {
	if u.kdc != nil {
		go func() {
			u.mu.Lock()
			defer u.mu.Unlock()
			u.kdc.Destroy()
		}()
	}
}

// Initiate gets a ticket for a service, such as cifs/server.example.com, and makes the
// client's token of it. The error says which name the KDC does not know, and the like.
func (u *User) Initiate(ctx context.Context, service string) (client.GSS, error) {
	type had struct {
		ticket messages.Ticket
		key    types.EncryptionKey
		err    error
	}
	got := make(chan had, 1)
	go func() { // it may wait for a KDC longer than ctx lasts
		var h had
		h.err = shielded(func() (err error) {
			h.ticket, h.key, err = u.ticket(service)
			return err
		})
		got <- h
	}()
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("no ticket for %s: %w", service, context.Cause(ctx))
	case h := <-got:
		if h.err != nil {
			return nil, fmt.Errorf("%s gets no ticket for %s: %w", u.Name(), service, reason(h.err))
		}
		return initiate(u.realm, u.cname, h.ticket, h.key)
	}
}

// ticket takes the ticket for a service out of the cache, or asks for one.
func (u *User) ticket(service string) (t messages.Ticket, key types.EncryptionKey, err error) {
	if u.cache != nil {
		if c := cached(u.cache, service, time.Now()); c != nil {
			return t, c.Key, t.Unmarshal(c.Ticket)
		}
	}
	if u.kdc == nil {
		return t, key, errors.New("the credential cache has neither that nor one to ask for it with that is still good (kinit gets one)")
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.kdc.GetServiceTicket(service)
}

// reason is what a KDC says, without where in the library that came up.
func reason(err error) error {
	if _, said, ok := strings.Cut(err.Error(), "KRB Error: "); ok {
		return errors.New("the KDC says " + said)
	}
	return err
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

// settings keep the library from what KDCs of Windows answer in their own way.
func settings() func(*krb5.Settings) { return krb5.DisablePAFXFAST(true) }

// asked makes a client of the library that logs in, which proves the password or the key.
func asked(make func() *krb5.Client) (*krb5.Client, error) {
	var c *krb5.Client
	err := shielded(func() error {
		c = make()
		return c.Login()
	})
	return c, err
}

// configured reports whether the realm has a KDC that the configuration names or finds.
func configured(c *config.Config, realm string) bool {
	for _, r := range c.Realms {
		if r.Realm == realm && len(r.KDC) > 0 {
			return true
		}
	}
	return c.LibDefaults.DNSLookupKDC
}
