package exchange

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"testing"
	"time"
)

// authority signs the certificates of nodes.
type authority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	made := a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "a test"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	a.key = made.PrivateKey.(*ecdsa.PrivateKey)
	var err error
	if a.cert, err = x509.ParseCertificate(made.Certificate[0]); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *authority) sign(c *x509.Certificate) tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil { // of itself
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// config is what a node uses that has a certificate for a name.
func (a *authority) config(name string) func(*ConnOptions) {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	cert := a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	return func(o *ConnOptions) {
		o.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, RootCAs: pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	}
}

// A certificate that anybody has signed proves no name, also where TLS lets it pass.
func TestACertificateMustHaveBeenVerified(t *testing.T) {
	ours, others := newAuthority(t), newAuthority(t)
	w := newTown(t)
	lax := func(o *ConnOptions) {
		ours.config("b")(o)
		o.TLS.ClientAuth = tls.RequireAnyClientCert
	}
	b := w.house("b", lax)
	m := w.house("mallory", func(o *ConnOptions) {
		others.config("mallory")(o)
		o.TLS.RootCAs = x509.NewCertPool()
		o.TLS.RootCAs.AddCert(ours.cert)
	})
	m.tell("b", "x", "evil")
	m.until("it is refused", func() bool { return slices.Contains(m.lost, "b") })
	b.hear(func() {
		if len(b.got) > 0 {
			t.Errorf("b has heard %v", b.got)
		}
	})
}

func TestCertificatesSayWhoIsWho(t *testing.T) {
	ours, others := newAuthority(t), newAuthority(t)
	w := newTown(t)
	a, b := w.house("a", ours.config("a")), w.house("b", ours.config("b"))
	a.tell("b", "x", "1")
	b.hears("x", "1")
	b.tell("a", "y", "2")
	a.hears("y", "2")
	for name, change := range map[string]func(*ConnOptions){
		"of another authority": others.config("mallory"),
		"of another name":      ours.config("somebody"),
		"without any":          func(*ConnOptions) {},
	} {
		t.Run(name, func(t *testing.T) {
			m := w.house("mallory", change)
			m.tell("b", "x", "evil")
			m.until("it is refused", func() bool { return slices.Contains(m.lost, "b") })
		})
	}
	a.tell("b", "x", "3")
	b.hears("x", "1", "3")
}
