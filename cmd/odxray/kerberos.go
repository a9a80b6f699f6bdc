package main

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/flows/report"
	"github.com/odxray/odxray/replay/client"
	"github.com/odxray/odxray/replay/kerberos"
)

// kerberosFlags say whether a user logs in by Kerberos, and with what, as smbclient has
// them.
type kerberosFlags struct {
	use, cache, keytab string
}

// flags adds them; keytab is the name of the flag for one, which may be taken.
func (k *kerberosFlags) flags(cmd *cobra.Command, keytab string) {
	words := choiceValue{&k.use, []string{"off", "desired", "required"}}
	k.use = "off"
	cmd.Flags().Var(words, "use-kerberos", "log in by Kerberos, with the cache of $KRB5CCNAME, the keytab of $KRB5_CLIENT_KTNAME\nor the password: "+words.list())
	complete(cmd, "use-kerberos", words.of)
	cmd.Flags().StringVar(&k.cache, "use-krb5-ccache", "", "log in by Kerberos with the tickets of this `FILE`, as kinit -c writes it")
	cmd.Flags().StringVar(&k.keytab, keytab, "", "log in by Kerberos with the user's key of this `FILE`")
}

// wanted tells whether to log in by Kerberos at all.
func (k *kerberosFlags) wanted() bool { return k.use != "off" || k.cache != "" || k.keytab != "" }

// kerberosUser finds the tickets, the key or the password; password is asked for only if it is
// needed. nil means that the user logs in by NTLM.
func (a *app) kerberosUser(k *kerberosFlags, name, domain string, password func() (string, error)) (client.Kerberos, error) {
	if !k.wanted() {
		return nil, nil
	}
	given := kerberos.Source{Name: name, Realm: domain}
	var sources []kerberos.Source
	add := func(cache, keytab string) {
		s := given
		s.Cache, s.Keytab = cache, keytab
		sources = append(sources, s)
	}
	switch {
	case k.cache != "" || k.keytab != "":
		add(k.cache, k.keytab)
	default:
		if cache := kerberos.CacheName(); cache != "" {
			add(cache, "")
		}
		if keytab := kerberos.KeytabName(); keytab != "" {
			add("", keytab)
		}
	}
	var why error
	for _, s := range sources {
		u, err := kerberos.Open(s)
		if err == nil {
			return u, nil
		}
		why = cmp.Or(why, err)
	}
	if name != "" && k.cache == "" && k.keytab == "" {
		secret, err := password()
		if err != nil {
			return nil, err
		}
		given.Password = secret
		u, err := kerberos.Open(given)
		if err == nil {
			return u, nil
		}
		why = err
	}
	if why == nil {
		why = errors.New("no tickets and no user: kinit gets tickets, $KRB5CCNAME or --use-krb5-ccache says where they are")
	}
	if k.use == "desired" && k.cache == "" && k.keytab == "" {
		fmt.Fprintf(a.stderr, "Kerberos: %s: NTLM instead\n", report.Escape(why.Error()))
		return nil, nil
	}
	return nil, &exitError{exitUnreadable, fmt.Errorf("logging on by Kerberos: %w", why)}
}
