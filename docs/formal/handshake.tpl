(* The handshake of PROTOCOL.md version 1 (sections 3 to 6), for ProVerif 2.05.
   The attacker is the network and the server; identities are self-certifying; every user plays
   guest and owner, in any number of sessions, with honest and dishonest partners, and answers
   login challenges of the attacker's making with the same RSA key all the while.
   prove.py keeps a line only in the variants that the tag in front of it names. *)

free c: channel.
type skrsa.
type dkem.

fun pk(skrsa): bitstring.
fun bad(bitstring): skrsa.                                            (* the private keys of the attacker's own making *)
fun oaep(bitstring, bitstring, bitstring, bitstring): bitstring.      (* public key, label, message, coins *)
reduc forall k: skrsa, l: bitstring, m: bitstring, r: bitstring; unoaep(k, l, oaep(pk(k), l, m, r)) = m.

fun ek(dkem): bitstring.
fun kct(bitstring, bitstring): bitstring.                             (* ek, coins *)
fun kss(bitstring, bitstring): bitstring.
(*-WEAKKEM*)reduc forall d: dkem, r: bitstring; decap(d, kct(ek(d), r)) = kss(ek(d), r).
(* a KEM without any binding: whoever sends a ciphertext chooses the secret *)
(*+WEAKKEM*)fun forged(bitstring): bitstring.
(*+WEAKKEM*)reduc forall d: dkem, r: bitstring; decap(d, kct(ek(d), r)) = kss(ek(d), r)
(*+WEAKKEM*)    ; forall d: dkem, x: bitstring; decap(d, forged(x)) = x.

(* everything that is hashed is public, so the attacker may as well invert H; injective, no collisions *)
fun H(bitstring): bitstring [data].
fun hmac(bitstring, bitstring): bitstring.
fun hkdf(bitstring, bitstring, bitstring): bitstring.                 (* ikm, salt, info and block number *)
fun aead(bitstring, bitstring, bitstring): bitstring.                 (* key, associated data, content *)
reduc forall k: bitstring, a: bitstring, m: bitstring; unaead(k, a, aead(k, a, m)) = m.

const s0leak, k0leak, zero, none, b1, b2, e1, e2, n0, n1, fromI, fromR, hello: bitstring.
const Llogin, Lproof, Loffer, Linvite, Lpsk, Lsession, Lanswer, LconfR, LconfI, Lratchet, Lmessage: bitstring.
const Kroot, KR, KI, Kchain: bitstring.

table users(bitstring, skrsa).
table links(bitstring, bitstring).

event User(bitstring).
event Link(bitstring).                                                (* psk of a link made by an honest owner *)
event CompRSA(bitstring).
event CompSecret(bitstring).                                          (* by psk *)
event IOffer(bitstring, bitstring, bitstring).
event RAnswer(bitstring, bitstring, bitstring, bitstring, bitstring).
event IAccept(bitstring, bitstring, bitstring, bitstring, bitstring).
event RAccept(bitstring, bitstring, bitstring, bitstring, bitstring).
event IGot(bitstring, bitstring, bitstring, bitstring, bitstring).
event RGot(bitstring, bitstring, bitstring, bitstring, bitstring).
event RSent(bitstring, bitstring).
event ISent(bitstring, bitstring).
event M1(bitstring, bitstring, bitstring, bitstring, bitstring).
event M2(bitstring, bitstring, bitstring, bitstring, bitstring).

(*-NOID*)letfun labelO(hI: bitstring, hR: bitstring, e: bitstring) = (Loffer, hI, hR, H(e)).
(*+NOID*)letfun labelO(hI: bitstring, hR: bitstring, e: bitstring) = Loffer.
(*-NOID*)letfun labelA(sid: bitstring, ct: bitstring, e: bitstring) = (Lanswer, sid, H(ct), H(e)).
(*+NOID*)letfun labelA(sid: bitstring, ct: bitstring, e: bitstring) = Lanswer.

(*-NOTH*)letfun transcript(offer: bitstring, ans: bitstring) = H((offer, ans)).
(*+NOTH*)letfun transcript(offer: bitstring, ans: bitstring) = none.

letfun material(ss: bitstring, sI: bitstring, sR: bitstring, psk: bitstring) = (
  (*-NOSS*)ss,
  (*-NOSI*)sI,
  (*-NOSR*)sR,
  psk, none).

(* the brackets after new say which earlier values ProVerif's name depends on: the same protocol, smaller clauses *)
let Guest(skI: skrsa, hR: bitstring, psk: bitstring, isinvite: bitstring,
          dI: dkem, sI: bitstring, r1: bitstring) =
  let nI = pk(skI) in let hI = H(nI) in
  in(c, nR: bitstring);
  (*-NOTHUMB*)if H(nR) = hR then
  if hR <> hI then
  let eI = ek(dI) in
  let cR = oaep(nR, labelO(hI, hR, eI), sI, r1) in
  let pre = (hI, hR, nI, eI, cR) in
  let offer = (pre, (if isinvite = zero then zero else hmac(psk, (Linvite, pre)))) in
  let sid = H((Lsession, offer)) in
  event IOffer(hI, hR, sid);
  out(c, offer);
  (*+KEMLEAK*)out(c, dI);
  in(c, (=sid, cI: bitstring, ct: bitstring, eR: bitstring, conf: bitstring));
  let sR = unoaep(skI, labelA(sid, ct, eR), cI) in
  let ss = decap(dI, ct) in
  let th = transcript(offer, (sid, cI, ct, eR)) in
  let ikm = material(ss, sI, sR, psk) in
  let root = hkdf(ikm, th, Kroot) in
  let kR = hkdf(ikm, th, KR) in
  let kI = hkdf(ikm, th, KI) in
  if conf = hmac(kR, (LconfR, th)) then
  event IAccept(hI, hR, sid, root, psk);
  (* without RAT: hello under a key from the root; with RAT: epoch 1 (hello and one message), then R's epoch 2 *)
  (*-RAT*)let mk = hkdf(root, none, Lmessage) in
  (*-RAT*)(*-NOCONFI*)out(c, aead(mk, sid, (hello, hmac(kI, (LconfI, th))))).
  (*-RAT*)(*+NOCONFI*)out(c, aead(mk, sid, hello)).
  (*+RAT*)new d1[hR]: dkem; new r2[hR,eR]: bitstring; new m1[hR,ct,eR,cI]: bitstring;
  (*+RAT*)let ct1 = kct(eR, r2) in let ek1 = ek(d1) in let ss1 = kss(eR, r2) in
  (*+RAT*)let rt1 = hkdf(ss1, root, (Lratchet, sid, e1, H((ct1, ek1)), Kroot)) in
  (*+RAT*)let ck1 = hkdf(ss1, root, (Lratchet, sid, e1, H((ct1, ek1)), Kchain)) in
  (*+RAT*)let ad0 = (sid, fromI, e1, n0, ct1, ek1) in
  (*+RAT*)out(c, (ct1, ek1, aead(hkdf(hmac(ck1, b1), none, Lmessage), ad0, hello)));
  (*+RAT*)event M1(m1, hI, hR, psk, sid);
  (*+RAT*)event ISent(sid, m1);
  (*+RAT*)out(c, aead(hkdf(hmac(hmac(ck1, b2), b1), none, Lmessage), (sid, fromI, e1, n1), m1));
  (*+RAT*)in(c, (ct2: bitstring, ek2: bitstring, body: bitstring));
  (*+RAT*)let ss2 = decap(d1, ct2) in
  (*+RAT*)let ck2 = hkdf(ss2, rt1, (Lratchet, sid, e2, H((ct2, ek2)), Kchain)) in
  (*+RAT*)let m2 = unaead(hkdf(hmac(ck2, b1), none, Lmessage), (sid, fromR, e2, n0, ct2, ek2), body) in
  (*+RAT*)event IGot(hI, hR, sid, psk, m2).

let Owner(skR: skrsa, psk: bitstring, isinvite: bitstring) =
  let nR = pk(skR) in let hR = H(nR) in
  in(c, (hI: bitstring, =hR, nI: bitstring, eI: bitstring, cR: bitstring, inv: bitstring));
  (*-ANYI*)get users(=hI, skx) in
  (*-NOTHUMBR*)if H(nI) = hI then
  if hI <> hR then
  let pre = (hI, hR, nI, eI, cR) in
  if inv = (if isinvite = zero then zero else hmac(psk, (Linvite, pre))) then
  let offer = (pre, inv) in
  let sid = H((Lsession, offer)) in
  let sI = unoaep(skR, labelO(hI, hR, eI), cR) in
  new sR[hI,eI]: bitstring; new r3[hI,eI]: bitstring; new r4[hI,eI]: bitstring; new dR[hI,eI]: dkem;
  let eR = ek(dR) in
  let ct = kct(eI, r3) in let ss = kss(eI, r3) in
  let cI = oaep(nI, labelA(sid, ct, eR), sR, r4) in
  let th = transcript(offer, (sid, cI, ct, eR)) in
  let ikm = material(ss, sI, sR, psk) in
  let root = hkdf(ikm, th, Kroot) in
  let kR = hkdf(ikm, th, KR) in
  let kI = hkdf(ikm, th, KI) in
  event RAnswer(hI, hR, sid, root, psk);
  out(c, (sid, cI, ct, eR, hmac(kR, (LconfR, th))));
  (*+KEMLEAK*)out(c, dR);
  (*-RAT*)in(c, body: bitstring);
  (*-RAT*)let mk = hkdf(root, none, Lmessage) in
  (*-RAT*)(*-NOCONFI*)let (=hello, conf: bitstring) = unaead(mk, sid, body) in
  (*-RAT*)(*-NOCONFI*)if conf = hmac(kI, (LconfI, th)) then
  (*-RAT*)(*+NOCONFI*)let (=hello) = unaead(mk, sid, body) in
  (*-RAT*)event RAccept(hI, hR, sid, root, psk).
  (*+RAT*)in(c, (ct1: bitstring, ek1: bitstring, body: bitstring));
  (*+RAT*)let ss1 = decap(dR, ct1) in
  (*+RAT*)let rt1 = hkdf(ss1, root, (Lratchet, sid, e1, H((ct1, ek1)), Kroot)) in
  (*+RAT*)let ck1 = hkdf(ss1, root, (Lratchet, sid, e1, H((ct1, ek1)), Kchain)) in
  (*+RAT*)let (=hello) = unaead(hkdf(hmac(ck1, b1), none, Lmessage), (sid, fromI, e1, n0, ct1, ek1), body) in
  (*+RAT*)event RAccept(hI, hR, sid, root, psk);
  (*+RAT*)( new d2[hI,eI]: dkem; new r5[hI,eI,ek1]: bitstring; new m2[hI,eI]: bitstring;
  (*+RAT*)  let ct2 = kct(ek1, r5) in let ek2 = ek(d2) in let ss2 = kss(ek1, r5) in
  (*+RAT*)  let ck2 = hkdf(ss2, rt1, (Lratchet, sid, e2, H((ct2, ek2)), Kchain)) in
  (*+RAT*)  event M2(m2, hI, hR, psk, sid);
  (*+RAT*)  event RSent(sid, m2);
  (*+RAT*)  out(c, (ct2, ek2, aead(hkdf(hmac(ck2, b1), none, Lmessage), (sid, fromR, e2, n0, ct2, ek2), m2)))
  (*+RAT*)| in(c, body1: bitstring);
  (*+RAT*)  let m1 = unaead(hkdf(hmac(hmac(ck1, b2), b1), none, Lmessage), (sid, fromI, e1, n1), body1) in
  (*+RAT*)  event RGot(hI, hR, sid, psk, m1) ).

(* an RSA key used for login as well: the attacker chooses the challenge and the origin *)
let Login(sk: skrsa) =
  in(c, (origin: bitstring, ch: bitstring));
  let r = unoaep(sk, (Llogin, origin), ch) in
  out(c, hmac(r, (Lproof, H(pk(sk))))).

(* sessions with a partner of the attacker's making (private key bad(x)): nothing in them is
   secret, so the attacker is given what the honest side would decrypt there, and makes all the rest itself *)
let GuestOfBad(sk: skrsa) =
  let nI = pk(sk) in let hI = H(nI) in
  in(c, (x: bitstring, eI: bitstring, cR: bitstring, inv: bitstring, cI: bitstring, ct: bitstring, eR: bitstring));
  let sid = H((Lsession, ((hI, H(pk(bad(x))), nI, eI, cR), inv))) in
  out(c, unoaep(sk, labelA(sid, ct, eR), cI)).
let OwnerForBad(sk: skrsa) =
  let hR = H(pk(sk)) in
  in(c, (x: bitstring, eI: bitstring, cR: bitstring));
  out(c, unoaep(sk, labelO(H(pk(bad(x))), hR, eI), cR)).

let Person(sk: skrsa) =
  let h = H(pk(sk)) in
  event User(h);
  insert users(h, sk);
  out(c, pk(sk));
  (
  (*-NOLOGIN*)!Login(sk) |
  (*-NOBAD*)!GuestOfBad(sk) | !OwnerForBad(sk) |
    (* links of this owner: each secret takes one offer; a secret may leak *)
  (*-NOINVITE*)!( new s: bitstring; let psk = hkdf(s, h, Lpsk) in
  (*-NOINVITE*)   event Link(psk); insert links(h, s);
  (*-NOINVITE*)   (
  (*+REUSE*)      !
  (*-NOINVITE*)     Owner(sk, psk, b1)
  (*-NOINVITE*)   | (in(c, =s0leak); event CompSecret(psk); out(c, s))
  (*-NOINVITE*)   | (phase 1; 
  (*-NOINVITE*)(*-NOFS*)out(c, s);
  (*-NOINVITE*)0) ) ) |
    (* guest with a link had from its owner *)
  (*-NOINVITE*)!( get links(hR, s) in new dI[hR,s]: dkem; new sI[hR,s]: bitstring; new r1[hR,s]: bitstring; Guest(sk, hR, hkdf(s, hR, Lpsk), b1, dI, sI, r1) ) |
    (* guest with a link to an honest owner, but with a secret of the attacker's *)
  (*-NOINVITE*)!( get users(hR, skx) in new dI[hR]: dkem; new sI[hR]: bitstring; new r1[hR]: bitstring; in(c, s: bitstring); let psk = hkdf(s, hR, Lpsk) in event CompSecret(psk); Guest(sk, hR, psk, b1, dI, sI, r1) ) |
    (* requests: a hash typed by hand *)
  (*-NOREQ*)!( get users(hR, skx) in new dI[hR]: dkem; new sI[hR]: bitstring; new r1[hR]: bitstring; Guest(sk, hR, zero, zero, dI, sI, r1) ) |
  (*-NOREQ*)!Owner(sk, zero, zero) |
    (in(c, =k0leak); event CompRSA(h); out(c, sk)) |
  (*-NOFS*)(phase 1; out(c, sk)) |
    0
  ).

(*QUERIES*)

process
  !( new sk: skrsa; Person(sk) )
