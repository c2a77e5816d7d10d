import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A published program in small: the hosts are built in, the emulator is unknown to it. Its argument is
 * the HTTP client that it uses.
 */
public class Client {
    static final String API = "https://cloudmanager.adobe.io";
    static final String IMS = "https://ims-na1.adobelogin.com";

    record Answer(int status, String location, String text) {}

    interface Caller {
        Answer call(String method, String url, String token, String form) throws Exception;
    }

    static Answer callOld(String method, String url, String token, String form) throws Exception {
        HttpURLConnection connection = (HttpURLConnection) new URL(url).openConnection();
        connection.setRequestMethod(method);
        if (token != null) {
            connection.setRequestProperty("authorization", "Bearer " + token);
            connection.setRequestProperty("x-api-key", "ci");
            connection.setRequestProperty("x-gw-ims-org-id", "1234567890ABCDEF12345678@AdobeOrg");
        }
        if (form != null) {
            connection.setDoOutput(true);
            try (OutputStream out = connection.getOutputStream()) {
                out.write(form.getBytes(StandardCharsets.UTF_8));
            }
        }
        int status = connection.getResponseCode();
        // It follows no redirect with the status 307.
        if (status == 307) {
            return callOld("GET", connection.getHeaderField("location"), null, null);
        }
        try (InputStream in = connection.getInputStream()) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            return new Answer(status, connection.getHeaderField("location"), text);
        }
    }

    static Answer callNew(String method, String url, String token, String form) throws Exception {
        HttpClient client = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NORMAL).build();
        HttpRequest.BodyPublisher body = form == null
                ? HttpRequest.BodyPublishers.noBody()
                : HttpRequest.BodyPublishers.ofString(form);
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url)).method(method, body);
        if (form != null) {
            request.header("content-type", "application/x-www-form-urlencoded");
        }
        if (token != null) {
            request.header("authorization", "Bearer " + token);
            request.header("x-api-key", "ci");
            request.header("x-gw-ims-org-id", "1234567890ABCDEF12345678@AdobeOrg");
        }
        HttpResponse<String> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        return new Answer(answer.statusCode(), answer.headers().firstValue("location").orElse(null), answer.body());
    }

    static String find(String pattern, String text) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        check(matcher.find(), text);
        return matcher.group(1);
    }

    static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }

    public static void main(String[] arguments) throws Exception {
        Caller caller = arguments[0].equals("HttpURLConnection") ? Client::callOld : Client::callNew;
        String form = "grant_type=client_credentials&client_id=ci&client_secret=s3cret";
        Answer issued = caller.call("POST", IMS + "/ims/token/v3", null, form);
        String token = find("\"access_token\":\"([^\"]+)\"", issued.text());
        Answer started = caller.call("PUT", API + "/api/program/4/pipeline/3/execution", token, null);
        check(started.status() == 201, started.text());
        check(started.location().startsWith(API + "/api/program/4/"), started.location());
        Answer execution = caller.call("GET", started.location(), token, null);
        Matcher logs = Pattern.compile("\"href\":\"([^\"]+/logs)\"").matcher(execution.text());
        boolean found = false;
        while (!found && logs.find()) {
            Answer log = caller.call("GET", API + logs.group(1), token, null);
            found = log.status() == 200 && log.text().contains("BUILD SUCCESS");
        }
        check(found, execution.text());
    }
}
