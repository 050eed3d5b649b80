import MAIL_API.*;
import java.io.*;

/** Fetches every message with the properties of the command line, some of them twice, and prints what it got. */
public class Fetch {
  public static void main(String[] words) throws Exception {
    Store store = Session.getInstance(System.getProperties()).getStore("pop3");
    try {
      store.connect(words[0], Integer.parseInt(words[1]), words[2], words[3]);
    } catch (MessagingException refused) {
      System.out.println("refused " + refused.getMessage());
      return;
    }
    Folder inbox = store.getFolder("INBOX");
    inbox.open(Folder.READ_WRITE);
    for (Message message : inbox.getMessages()) {
      // The header first: by TOP, or by RETR where that is turned off.
      String subject = message.getSubject();
      ByteArrayOutputStream octets = new ByteArrayOutputStream();
      message.writeTo(octets);
      Object uid = inbox.getClass().getMethod("getUID", Message.class).invoke(inbox, message);
      System.out.println(message.getMessageNumber() + " " + uid + " " + octets.size() + " " + subject);
      if (Boolean.getBoolean("delete")) message.setFlag(Flags.Flag.DELETED, true);
    }
    inbox.close(Boolean.getBoolean("delete"));
    store.close();
    System.out.println("done");
  }
}
