/* Logs in by POP3S with a SCRAM mechanism of GNU SASL and prints what the server answered.
   usage: scram MECHANISM HOST PORT USER PASSWORD CERTIFICATE TLS(1.2|1.3) [wrong-binding]
   cc -o scram scram.c -lgsasl -lssl -lcrypto */
#include <gsasl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static SSL *ssl;
static char *user, *password, *binding;

static void die(const char *what) {
  fprintf(stderr, "scram: %s\n", what);
  ERR_print_errors_fp(stderr);
  exit(1);
}

static int callback(Gsasl *context, Gsasl_session *session, Gsasl_property property) {
  (void)context;
  switch (property) {
  case GSASL_AUTHID: gsasl_property_set(session, property, user); return GSASL_OK;
  case GSASL_PASSWORD: gsasl_property_set(session, property, password); return GSASL_OK;
  case GSASL_CB_TLS_EXPORTER:
    if (binding == NULL) return GSASL_NO_CALLBACK;
    gsasl_property_set(session, property, binding);
    return GSASL_OK;
  default: return GSASL_NO_CALLBACK;
  }
}

static char *line(void) {
  static char text[8192];
  size_t length = 0;
  while (length + 1 < sizeof text && SSL_read(ssl, text + length, 1) == 1)
    if (text[length++] == '\n') break;
  text[length] = 0;
  text[strcspn(text, "\r\n")] = 0;
  printf("S: %s\n", text);
  return text;
}

static void say(const char *first, const char *second) {
  char text[8192];
  int length = snprintf(text, sizeof text, "%s%s\r\n", first, second);
  if (SSL_write(ssl, text, length) != length) die("write");
}

static void begin_tls(const char *host, const char *port, const char *certificate, const char *version) {
  struct addrinfo *address, hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET};
  if (getaddrinfo(host, port, &hints, &address) != 0) die("address");
  int connection = socket(address->ai_family, SOCK_STREAM, 0);
  if (connect(connection, address->ai_addr, address->ai_addrlen) != 0) die("connect");
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  int number = strcmp(version, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
  SSL_CTX_set_min_proto_version(context, number);
  SSL_CTX_set_max_proto_version(context, number);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  if (SSL_CTX_load_verify_locations(context, certificate, NULL) != 1) die("certificate");
  ssl = SSL_new(context);
  SSL_set1_host(ssl, host);
  SSL_set_fd(ssl, connection);
  if (SSL_connect(ssl) != 1) die("handshake");
  printf("TLS: %s\n", SSL_get_version(ssl));
}

int main(int count, char **words) {
  if (count < 8) die("usage");
  const char *mechanism = words[1];
  user = words[4];
  password = words[5];
  begin_tls(words[2], words[3], words[6], words[7]);
  unsigned char octets[32];
  if (SSL_export_keying_material(ssl, octets, sizeof octets, "EXPORTER-Channel-Binding", 24, (unsigned char *)"", 0, 1) != 1)
    die("exporter");
  if (count > 8) octets[0] ^= 1;
  size_t length;
  if (strstr(mechanism, "-PLUS") && gsasl_base64_to((char *)octets, sizeof octets, &binding, &length) != GSASL_OK)
    die("base64");

  Gsasl *context;
  Gsasl_session *session;
  if (gsasl_init(&context) != GSASL_OK) die("gsasl");
  gsasl_callback_set(context, callback);
  if (gsasl_client_start(context, mechanism, &session) != GSASL_OK) die("mechanism");

  line();
  say("AUTH ", mechanism);
  for (;;) {
    char *text = line(), *output;
    if (strncmp(text, "+ ", 2) != 0) return strncmp(text, "+OK", 3) == 0 ? 0 : 2;
    int status = gsasl_step64(session, text + 2, &output);
    if (status != GSASL_OK && status != GSASL_NEEDS_MORE) {
      printf("C: %s\n", gsasl_strerror(status));
      say("*", "");
      continue;
    }
    say("", output);
    free(output);
  }
}
